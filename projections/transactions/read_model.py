"""Answers questions about a wallet's history, and says how far behind an answer is."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple
from uuid import UUID

import asyncpg
from msgspec import Raw, Struct

from projections.interface import Reader
from projections.statements import load_statement
from schemas.identifiers import (
    StreamKey,
    hex_of,
    hold_id,
    topup_id,
    transaction_id,
    transfer_id,
    wallet_id,
)
from schemas.results import TransactionType, TransactionView

FROM_NEWEST = 2**63 - 1
"""The cursor of the first page."""

_PAGE = load_statement(__file__, "page")
_PAGE_BY_TYPE = load_statement(__file__, "page_by_type")
_PAGE_DECLINED_BY_TYPE = load_statement(__file__, "page_declined_by_type")
_READ_TRANSACTION = load_statement(__file__, "read_transaction")
_READ_CAPTURE = load_statement(__file__, "read_capture")
_PAGE_OF_WALLETS = load_statement(__file__, "page_of_wallets")


class HistoryLine(NamedTuple):
    """A transaction, and how much of it was reversed since."""

    transaction: TransactionView
    reversed_amount: int


class TransactionReading(Struct, frozen=True, kw_only=True):
    """One transaction of a wallet, if the history has it, and how far the log is."""

    newest_version: int
    """The wallet's newest version in the log, in the same snapshot as the transaction."""
    complete_to_version: int
    """Up to this version nothing of the history is missing; 0 where there is nothing yet."""
    line: HistoryLine | None

    @property
    def behind(self) -> int:
        """How many events have not been looked at yet."""
        return self.newest_version - self.complete_to_version


class HistoryReading(Struct, frozen=True, kw_only=True):
    """A page of a wallet's history, newest first, and how far the log is."""

    newest_version: int
    """The wallet's newest version in the log, in the same snapshot as the page."""
    complete_to_version: int
    """Up to this version nothing of the history is missing; 0 where there is nothing yet."""
    lines: list[HistoryLine]

    @property
    def transactions(self) -> list[TransactionView]:
        """The lines' transactions; the last one's `version` is the cursor of the next page."""
        return [line.transaction for line in self.lines]

    @property
    def behind(self) -> int:
        """How many events have not been looked at yet."""
        return self.newest_version - self.complete_to_version


class WalletsReading(Struct, frozen=True, kw_only=True):
    """A page of the history of several wallets together, and how far the log is with each."""

    newest_versions: dict[str, int]
    """The wallets' newest versions in the log, in the same snapshot as the page."""
    complete_to_versions: dict[str, int]
    """Up to these versions nothing of their histories is missing."""
    total_lines: int
    transactions: list[TransactionView]

    def has_all_of(self, versions: Mapping[str, int]) -> bool:
        """Whether nothing is missing up to these versions."""
        return all(
            self.complete_to_versions.get(wallet, 0) >= version
            for wallet, version in versions.items()
        )


async def read_page_of_wallets(
    reader: Reader, tenant_id: str, wallet_ids: Sequence[str], *, limit: int, offset: int
) -> WalletsReading:
    """Up to `limit` transactions of these wallets, completed and declined, newest first."""
    rows = await reader.fetch(
        _PAGE_OF_WALLETS, tenant_id, [hex_of(each) for each in wallet_ids], limit, offset
    )
    names = {row["wallet_id"]: wallet_id(row["wallet_id"].hex) for row in rows}
    counts = {row["wallet_id"]: row["lines"] for row in rows}
    return WalletsReading(
        newest_versions={names[row["wallet_id"]]: row["newest"] for row in rows},
        complete_to_versions={names[row["wallet_id"]]: row["complete_to"] for row in rows},
        total_lines=sum(counts.values()),
        transactions=[
            transaction_view(names[row["wallet_id"]], row)
            for row in rows
            if row["version"] is not None
        ],
    )


async def read_page(
    reader: Reader,
    wallet: StreamKey,
    *,
    status: Literal["completed", "failed"] = "completed",
    transaction_type: TransactionType | None = None,
    limit: int,
    before_version: int = FROM_NEWEST,
) -> HistoryReading | None:
    """Up to `limit` transactions below a version; None if the tenant has no such wallet."""
    page = (wallet.tenant_id, hex_of(wallet.stream_id), before_version, limit)
    if transaction_type is None:
        rows = await reader.fetch(_PAGE, *page, status)
    else:
        # Each status has an index of its types, which only a statement that names it can use.
        by_type = _PAGE_BY_TYPE if status == "completed" else _PAGE_DECLINED_BY_TYPE
        rows = await reader.fetch(by_type, *page, transaction_type)
    if not rows:
        return None
    return HistoryReading(
        newest_version=rows[0]["newest"],
        complete_to_version=rows[0]["complete_to"],
        lines=[_line(wallet, row) for row in rows if row["version"] is not None],
    )


async def read_transaction(
    reader: Reader, wallet: StreamKey, version: int
) -> TransactionReading | None:
    """The transaction that one version of a wallet is; None if the tenant has no such wallet."""
    return _reading(
        wallet,
        await reader.fetchrow(
            _READ_TRANSACTION, wallet.tenant_id, hex_of(wallet.stream_id), version
        ),
    )


async def read_capture(
    reader: Reader, wallet: StreamKey, identifier: str, reference: str
) -> TransactionReading | None:
    """The newest capture of a hold under a reference; None if the tenant has no such wallet."""
    return _reading(
        wallet,
        await reader.fetchrow(
            _READ_CAPTURE,
            wallet.tenant_id,
            hex_of(wallet.stream_id),
            hex_of(identifier),
            reference,
        ),
    )


def _reading(wallet: StreamKey, row: asyncpg.Record | None) -> TransactionReading | None:
    if row is None:
        return None
    return TransactionReading(
        newest_version=row["newest"],
        complete_to_version=row["complete_to"],
        line=None if row["version"] is None else _line(wallet, row),
    )


def _line(wallet: StreamKey, row: asyncpg.Record) -> HistoryLine:
    return HistoryLine(transaction_view(wallet.stream_id, row), row["reversed_amount"])


def transaction_view(identifier: str, row: asyncpg.Record) -> TransactionView:
    """One row as answers show it, of the wallet of this id."""
    return TransactionView(
        id=transaction_id(row["event_id"].hex),
        wallet_id=identifier,
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
        expires_at=row["expires_at"],
        hold_id=_spelled(hold_id, row["hold_id"]),
        held_after=row["held_after"],
        transfer_id=_spelled(transfer_id, row["transfer_id"]),
        other_wallet_id=_spelled(wallet_id, row["other_wallet_id"]),
        reverses=_spelled(transaction_id, row["reverses"]),
        topup_id=_spelled(topup_id, row["topup_id"]),
        payment_id=row["payment_id"],
        metadata=Raw(row["metadata"]),
    )


def _spelled(spell: Callable[[str], str], digits: UUID | None) -> str | None:
    return None if digits is None else spell(digits.hex)
