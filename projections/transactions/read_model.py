"""Answers questions about a wallet's history, and says how far behind an answer is."""

from typing import Literal

import asyncpg
from msgspec import Raw, Struct

from projections.interface import Reader, WalletKey
from projections.statements import load_statement
from schemas.identifiers import hex_of, transaction_id
from schemas.results import TransactionType, TransactionView

FROM_NEWEST = 2**63 - 1
"""The cursor of the first page."""

_PAGE = load_statement(__file__, "page")
_PAGE_BY_TYPE = load_statement(__file__, "page_by_type")


class HistoryReading(Struct, frozen=True, kw_only=True):
    """A page of a wallet's history, newest first, and how far the log is."""

    newest_version: int
    """The wallet's newest version in the log, in the same snapshot as the page."""
    complete_to_version: int
    """Up to this version nothing of the history is missing; 0 where there is nothing yet."""
    transactions: list[TransactionView]
    """The last one's `version` is the cursor of the next page."""

    @property
    def behind(self) -> int:
        """How many events have not been looked at yet."""
        return self.newest_version - self.complete_to_version


async def read_page(
    reader: Reader,
    wallet: WalletKey,
    *,
    status: Literal["completed", "failed"] = "completed",
    transaction_type: TransactionType | None = None,
    limit: int,
    before_version: int = FROM_NEWEST,
) -> HistoryReading | None:
    """Up to `limit` transactions below a version; None if the tenant has no such wallet."""
    page = (wallet.tenant_id, hex_of(wallet.wallet_id), before_version, limit)
    if status == "completed" and transaction_type is not None:
        rows = await reader.fetch(_PAGE_BY_TYPE, *page, transaction_type)
    else:
        rows = await reader.fetch(_PAGE, *page, status, transaction_type)
    if not rows:
        return None
    return HistoryReading(
        newest_version=rows[0]["newest"],
        complete_to_version=rows[0]["complete_to"],
        transactions=[
            transaction_view(wallet.wallet_id, row) for row in rows if row["version"] is not None
        ],
    )


def transaction_view(wallet_id: str, row: asyncpg.Record) -> TransactionView:
    """One row as answers show it."""
    return TransactionView(
        id=transaction_id(row["event_id"].hex),
        wallet_id=wallet_id,
        type=row["type"],
        kind=row["kind"],
        status=row["status"],
        amount=row["amount"],
        balance_before=row["balance_before"],
        balance_after=row["balance_after"],
        available_balance=row["available_balance"],
        currency=row["currency"],
        reference=row["reference"],
        description=row["description"],
        code=row["code"],
        created_at=row["created_at"],
        version=row["version"],
        metadata=Raw(row["metadata"]),
    )
