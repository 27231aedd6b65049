"""One small story in values, from which every example in the published documents is taken.

Ama opens a wallet in cedis, puts 150.00 in, and spends 5.00 on text messages.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Raw

from schemas import commands, results
from schemas.events import (
    BalanceForfeited,
    ChangeDeclined,
    CreditDeclined,
    DebitDeclined,
    WalletClosed,
    WalletCredited,
    WalletDebited,
    WalletEvent,
    WalletFrozen,
    WalletOpened,
    WalletUnfrozen,
)
from schemas.http import credit_wallets as http
from schemas.http.problems import PROBLEMS, FieldProblem, Problem, problem_type
from schemas.money import MAX_AMOUNT_MINOR, formatted
from schemas.rejections import InsufficientFunds

TENANT = "0197f3c2-5a10-7c44-9d0e-6f2b8a1c3e57"
WALLET = "wal_0197f3c29b1e7d10a4c86e5f20b3d791"
COMMAND_ID = "sms_batch_8821-try-1"
REQUEST_ID = "req_0197f3c4e0a27f3b8d1594c6a7e2b0f8"
CURSOR = "eyJwIjoxODQyfQ"
_CREDIT_ID = "txn_0197f3c3d4527b6f8e01c9a7d3f5b284"
_DEBIT_ID = "txn_0197f3c4e0a27f3b8d1594c6a7e2b0f7"
_USER = "5f0c2f0e-7d0a-5a3c-9b53-3f6f1f6f8f4d"
_OPENED_AT = datetime(2026, 5, 24, 10, 0, tzinfo=UTC)
_CREDITED_AT = datetime(2026, 5, 24, 10, 0, 4, 250_000, tzinfo=UTC)
_DEBITED_AT = datetime(2026, 5, 24, 10, 1, 12, 731_204, tzinfo=UTC)
_METADATA = Raw(b'{"campaign":"may"}')


def plain(value: object) -> Any:
    """The value as it looks in JSON."""
    return msgspec.json.decode(msgspec.json.encode(value))


def _money(balance_before: int, amount: int, balance_after: int) -> dict[str, Any]:
    return {
        "amount": amount,
        "balance_before": balance_before,
        "balance_after": balance_after,
        "available_after": balance_after,
        "currency": "GHS",
    }


EVENTS: dict[str, WalletEvent] = {
    "wallet.opened": WalletOpened(
        customer_id="cus_abc123", user_id=_USER, currency="GHS", metadata=_METADATA
    ),
    "wallet.credited": WalletCredited(
        **_money(0, 15_000, 15_000), reference="welcome-cus_abc123", description="Welcome"
    ),
    "wallet.debited": WalletDebited(
        **_money(15_000, 500, 14_500),
        reference="sms_batch_8821",
        description="500 text messages",
        metadata=_METADATA,
    ),
    "wallet.debit_declined": DebitDeclined(
        code="insufficient_funds",
        amount=20_000,
        balance=14_500,
        available=14_500,
        currency="GHS",
        reference="sms_batch_8822",
        description="20 000 text messages",
    ),
    "wallet.credit_declined": CreditDeclined(
        code="balance_limit_exceeded",
        amount=MAX_AMOUNT_MINOR,
        balance=14_500,
        available=14_500,
        currency="GHS",
        reference="mistyped-1",
        description="",
    ),
    "wallet.frozen": WalletFrozen(),
    "wallet.unfrozen": WalletUnfrozen(),
    "wallet.balance_forfeited": BalanceForfeited(**_money(14_500, 14_500, 0)),
    "wallet.closed": WalletClosed(),
    "wallet.change_declined": ChangeDeclined(
        change="close", code="wallet_not_empty", balance=14_500
    ),
}

COMMANDS: dict[str, commands.Command] = {
    "create_wallet": commands.CreateWallet(
        customer_id="cus_abc123", currency="GHS", metadata=_METADATA
    ),
    "credit_wallet": commands.CreditWallet(
        wallet_id=WALLET, amount=15_000, description="Welcome", reference="welcome-cus_abc123"
    ),
    "debit_wallet": commands.DebitWallet(
        wallet_id=WALLET,
        amount=500,
        description="500 text messages",
        reference="sms_batch_8821",
        metadata=_METADATA,
    ),
    "freeze_wallet": commands.FreezeWallet(wallet_id=WALLET),
    "unfreeze_wallet": commands.UnfreezeWallet(wallet_id=WALLET),
    "close_wallet": commands.CloseWallet(wallet_id=WALLET, remaining_balance="forfeit"),
}

RESULTS: dict[str, results.CommandResult] = {
    "accepted": results.CommandResult(
        status="accepted",
        transaction=results.TransactionView(
            id=_DEBIT_ID,
            wallet_id=WALLET,
            type="debit",
            kind="debit",
            status="completed",
            amount=500,
            balance_before=15_000,
            balance_after=14_500,
            available_balance=14_500,
            currency="GHS",
            reference="sms_batch_8821",
            description="500 text messages",
            code=None,
            created_at=_DEBITED_AT,
            version=3,
            metadata=_METADATA,
        ),
        position=1842,
        version=3,
    ),
    "declined": results.CommandResult(
        status="declined",
        rejection=InsufficientFunds(amount=20_000, available=14_500),
        position=1843,
        version=4,
    ),
}

REJECTED_MESSAGE = results.RejectedMessage(
    topic="ledger.commands",
    partition=2,
    offset=77,
    reason="malformed_request",
    detail="the value is not JSON",
    sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
)

CREATE_REQUEST = http.CreateWalletRequest(customer_id="cus_abc123", currency="GHS")
CREDIT_REQUEST = http.MoneyRequest(
    amount=15_000, description="Welcome", reference="welcome-cus_abc123"
)
DEBIT_REQUEST = http.MoneyRequest(
    amount=500, description="500 text messages", reference="sms_batch_8821", metadata=_METADATA
)
CLOSE_REQUEST = http.CloseWalletRequest(remaining_balance="forfeit")


def wallet(
    balance: int, status: results.WalletStatus = "active", at: datetime = _DEBITED_AT
) -> http.Wallet:
    """Ama's wallet with this balance."""
    return http.Wallet(
        id=WALLET,
        customer_id="cus_abc123",
        user_id=_USER,
        currency="GHS",
        balance=balance,
        balance_formatted=formatted(balance, "GHS"),
        available_balance=balance,
        status=status,
        metadata=commands.NO_METADATA,
        created_at=_OPENED_AT,
        updated_at=at,
    )


NEW_WALLET = wallet(0, at=_OPENED_AT)
CREDIT = http.Transaction(
    id=_CREDIT_ID,
    wallet_id=WALLET,
    type="credit",
    kind="credit",
    status="completed",
    code=None,
    amount=15_000,
    balance_before=0,
    balance_after=15_000,
    available_balance=15_000,
    currency="GHS",
    reference="welcome-cus_abc123",
    description="Welcome",
    metadata=commands.NO_METADATA,
    created_at=_CREDITED_AT,
)
DEBIT = http.Transaction(
    id=_DEBIT_ID,
    wallet_id=WALLET,
    type="debit",
    kind="debit",
    status="completed",
    code=None,
    amount=500,
    balance_before=15_000,
    balance_after=14_500,
    available_balance=14_500,
    currency="GHS",
    reference="sms_batch_8821",
    description="500 text messages",
    metadata=_METADATA,
    created_at=_DEBITED_AT,
)
WALLETS = http.WalletPage(data=[wallet(14_500)], has_more=True, next_cursor=CURSOR)
TRANSACTIONS = http.TransactionPage(data=[DEBIT, CREDIT], has_more=False, next_cursor=None)


def problem(code: str) -> Problem:
    """What an answer with this code looks like."""
    kind = PROBLEMS[code]
    return msgspec.structs.replace(
        Problem(
            type=problem_type(code),
            title=kind.title,
            status=kind.status,
            code=code,
            detail=kind.meaning,
            request_id=REQUEST_ID,
        ),
        **_MORE.get(code, {}),
    )


_MORE: dict[str, dict[str, Any]] = {
    "validation_failed": {
        "param": "amount",
        "errors": [
            FieldProblem(param="amount", code="out_of_range", detail="must be greater than 0"),
            FieldProblem(param="reference", code="missing", detail="is required"),
        ],
    },
    "unsupported_field": {
        "param": "expires_at",
        "errors": [
            FieldProblem(
                param="expires_at",
                code="unsupported_field",
                detail=http.UNSUPPORTED_FIELDS["expires_at"],
            )
        ],
    },
    "invalid_cursor": {"param": "after"},
    "invalid_idempotency_key": {"param": "Idempotency-Key"},
    "invalid_limit": {"param": "limit"},
    "invalid_parameter": {"param": "currency"},
    "invalid_status": {"param": "status"},
    "invalid_type": {"param": "type"},
    "reference_reused": {"param": "reference", "wallet_id": WALLET},
    "wallet_exists": {"wallet_id": WALLET},
    "wallet_frozen": {"wallet_id": WALLET, "transaction_id": _DEBIT_ID},
    "wallet_closed": {"wallet_id": WALLET},
    "wallet_not_empty": {"wallet_id": WALLET, "balance": 14_500},
    "insufficient_funds": {
        "wallet_id": WALLET,
        "transaction_id": _DEBIT_ID,
        "amount": 20_000,
        "available": 14_500,
    },
    "balance_limit_exceeded": {
        "wallet_id": WALLET,
        "amount": MAX_AMOUNT_MINOR,
        "balance": 14_500,
        "limit": MAX_AMOUNT_MINOR,
    },
    "customer_id_conflict": {"param": "customer_id"},
}
