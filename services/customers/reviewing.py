"""Settling reviews of tier-three wallets."""

from typing import Final

from schemas.commands import ReviewWallet
from schemas.identifiers import hex_of, is_wallet_id, wallet_id
from schemas.identity import ReviewOutcome
from schemas.rejections import code_of
from services.customers.banks import Bank, Banks
from services.customers.errors import CustomerCommandError
from services.customers.submitting import submitting
from services.runtime.outages import reach
from services.runtime.settings import Settings
from services.runtime.sql import load_statement

_LIST_PENDING: Final = load_statement(__file__, "list_pending")
_FIND_WALLET: Final = load_statement(__file__, "find_wallet")
_NAME: Final = "ledger-reviews"
_MOST: Final = 1_000


async def run_list(settings: Settings) -> list[str]:
    """A line for each wallet that waits, as the read model has them."""
    connection = await reach(settings.require_database_url(), _NAME)
    try:
        rows = await connection.fetch(_LIST_PENDING, _MOST)
    finally:
        await connection.close()
    return [
        f"{wallet_id(row['wallet_id'].hex)}  {row['created_at']:%Y-%m-%d %H:%M}  "
        f"{row['environment']}  {row['merchant']}"
        for row in rows
    ] or ["no wallet waits for a review"]


async def run_review(
    settings: Settings,
    identifier: str,
    outcome: ReviewOutcome,
    reason: str | None,
    by: str | None = None,
) -> list[str]:
    """Settle one. Raises `CustomerCommandError` where there is nothing to settle."""
    connection = await reach(settings.require_database_url(), _NAME)
    try:
        row = None
        if is_wallet_id(identifier):
            row = await connection.fetchrow(_FIND_WALLET, hex_of(identifier))
    finally:
        await connection.close()
    if row is None:
        message = f"there is no wallet {identifier}; ids are spelled wal_ and 32 digits"
        raise CustomerCommandError(message)
    banks = Banks(live=Bank(name=settings.bank_name, code=settings.bank_code))
    command = ReviewWallet(
        wallet_id=identifier,
        outcome=outcome,
        reason=reason,
        bank_code=banks.of(row["environment"]).code,
    )
    async with submitting(settings, by) as ledger:
        result = await ledger.settle(str(row["tenant_id"]), command)
    if result.rejection is not None:
        message = f"{identifier} was not {outcome}: {code_of(result.rejection)}"
        raise CustomerCommandError(message)
    assert result.wallet is not None, "a review leads to a wallet"
    number = result.wallet.account_number
    return [f"{outcome} {identifier}" + ("" if number is None else f", account {number}")]
