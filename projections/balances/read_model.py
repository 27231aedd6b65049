"""Answers questions about wallets, holds and top-ups, and says how far behind an answer is.

Reading your own write: whatever the log has of a wallet by the time of the question is
either in the answer or `behind` it, and then `catch_up` folds what is missing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Generic, NamedTuple

import asyncpg
from msgspec import Struct

from projections.balances.evolve import fold
from projections.balances.parts import EventT, PartKind, ViewT
from projections.balances.rows import wallet_view
from projections.interface import Reader
from projections.log import read_stream
from projections.statements import load_statement
from schemas.identifiers import StreamKey, hex_of, wallet_id
from schemas.results import WalletStatus, WalletView

CATCH_UP_LIMIT = 1000
"""How many missing events a question may fold by itself."""
FROM_NEWEST = 2**63 - 1
"""The cursor of the first page."""

_READ_MANY = load_statement(__file__, "read_many")
_LIST = load_statement(__file__, "list")
_LIST_BY_CURRENCY = load_statement(__file__, "list_by_currency")
_LIST_BY_STATUS = load_statement(__file__, "list_by_status")
_LIST_BY_BOTH = load_statement(__file__, "list_by_currency_and_status")
_LIST_OF_CUSTOMER = load_statement(__file__, "list_of_customer")
_LIST_DUE = load_statement(__file__, "list_due")


class WalletReading(Struct, frozen=True, kw_only=True, gc=False):
    """A wallet that exists: its row, if there is one yet, and how far the log is."""

    wallet_id: str
    newest_version: int
    """The wallet's newest version in the log, in the same snapshot as the row."""
    view: WalletView | None

    @property
    def behind(self) -> int:
        """How many events the row does not have yet."""
        return self.newest_version - (0 if self.view is None else self.view.version)


class ListedWallet(Struct, frozen=True, kw_only=True, gc=False):
    """One wallet of a list; `opened_position` is the cursor of what follows it."""

    opened_position: int
    reading: WalletReading


class _PartsOfWallet(Struct, frozen=True, kw_only=True):
    """How far the holds, or the top-ups, of a wallet are known."""

    newest_version: int
    """The wallet's newest version in the log, in the same snapshot as they."""
    complete_to_version: int
    """Up to this version no change of them is missing; 0 where there is nothing yet."""

    @property
    def behind(self) -> int:
        """How many events have not been looked at yet."""
        return self.newest_version - self.complete_to_version


class PartReading(_PartsOfWallet, Generic[ViewT], frozen=True, kw_only=True):
    """One part, if the read model has it, and how far the log is."""

    view: ViewT | None


class ListedPart(NamedTuple, Generic[ViewT]):
    """One part of a list; `opened_version` is the cursor of what follows it."""

    opened_version: int
    view: ViewT


class PartsReading(_PartsOfWallet, Generic[ViewT], frozen=True, kw_only=True):
    """A page of a wallet's parts, newest first, and how far the log is."""

    parts: list[ListedPart[ViewT]]


class DueWallet(NamedTuple):
    """A wallet in which something ends by itself, and the soonest moment of it."""

    wallet: StreamKey
    due_at: datetime


async def read_many(reader: Reader, wallets: Sequence[StreamKey]) -> list[WalletReading | None]:
    """The wallets asked for, in that order, in one snapshot; None where there is none such."""
    readings: list[WalletReading | None] = [None] * len(wallets)
    rows = await reader.fetch(
        _READ_MANY,
        [wallet.tenant_id for wallet in wallets],
        [hex_of(wallet.stream_id) for wallet in wallets],
    )
    for row in rows:
        place = row["place"] - 1
        readings[place] = _reading(wallets[place].stream_id, row)
    return readings


async def catch_up(reader: Reader, wallet: StreamKey, reading: WalletReading) -> WalletView | None:
    """The wallet with the events folded in that its row lacks; None if they are too many.

    Raises `ProjectionMismatchError` if the row and the log contradict each other.
    """
    if reading.behind > CATCH_UP_LIMIT:
        return None
    version = reading.newest_version - reading.behind
    events = await read_stream(reader, wallet, version, CATCH_UP_LIMIT)
    view = fold(reading.view, events)
    if view is None or view.version < reading.newest_version:
        return None
    return view


async def list_wallets(
    reader: Reader,
    tenant_id: str,
    *,
    currency: str | None = None,
    status: WalletStatus | None = None,
    limit: int,
    before_position: int = FROM_NEWEST,
) -> list[ListedWallet]:
    """A tenant's wallets as the read model has them, newest first; not of one moment."""
    page = (tenant_id, before_position, limit)
    match currency, status:
        case None, None:
            rows = await reader.fetch(_LIST, *page)
        case _, None:
            rows = await reader.fetch(_LIST_BY_CURRENCY, *page, currency)
        case None, _:
            rows = await reader.fetch(_LIST_BY_STATUS, *page, status)
        case _:
            rows = await reader.fetch(_LIST_BY_BOTH, *page, currency, status)
    return [_listed(row, row["version"]) for row in rows]


async def list_wallets_of_customer(
    reader: Reader,
    tenant_id: str,
    customer_id: str,
    *,
    currency: str | None = None,
    limit: int,
    before_position: int = FROM_NEWEST,
) -> list[ListedWallet]:
    """A customer's wallets, newest first, none missing; each says how far its row is behind."""
    rows = await reader.fetch(
        _LIST_OF_CUSTOMER, tenant_id, before_position, limit, customer_id, currency
    )
    return [_listed(row, row["newest"]) for row in rows]


async def read_part(
    reader: Reader, kind: PartKind[ViewT, EventT], wallet: StreamKey, part_id: str
) -> PartReading[ViewT] | None:
    """A part of this wallet, in one snapshot; None if the tenant has no such wallet."""
    row = await reader.fetchrow(
        kind.read, wallet.tenant_id, hex_of(wallet.stream_id), hex_of(part_id)
    )
    if row is None:
        return None
    return PartReading(
        newest_version=row["newest"],
        complete_to_version=row["complete_to"],
        view=None if row[kind.id_column] is None else kind.view_of(wallet.stream_id, row),
    )


async def list_parts(
    reader: Reader,
    kind: PartKind[ViewT, EventT],
    wallet: StreamKey,
    *,
    status: str | None = None,
    limit: int,
    before_version: int = FROM_NEWEST,
) -> PartsReading[ViewT] | None:
    """Up to `limit` parts opened before a version, newest first; None as in `read_part`."""
    page = (wallet.tenant_id, hex_of(wallet.stream_id), before_version, limit)
    if status is None:
        rows = await reader.fetch(kind.list_newest, *page)
    else:
        rows = await reader.fetch(kind.list_by_status, *page, status)
    if not rows:
        return None
    return PartsReading(
        newest_version=rows[0]["newest"],
        complete_to_version=rows[0]["complete_to"],
        parts=[
            ListedPart(row["opened_version"], kind.view_of(wallet.stream_id, row))
            for row in rows
            if row[kind.id_column] is not None
        ],
    )


async def list_due(reader: Reader, now: datetime, limit: int) -> list[DueWallet]:
    """Up to `limit` wallets, of all tenants, in which something was due by now, soonest first."""
    return [
        DueWallet(StreamKey(str(row["tenant_id"]), wallet_id(row["wallet_id"].hex)), row["due_at"])
        for row in await reader.fetch(_LIST_DUE, now, limit)
    ]


def _listed(row: asyncpg.Record, newest_version: int) -> ListedWallet:
    identifier = wallet_id(row["wallet_id"].hex)
    return ListedWallet(
        opened_position=row["opened_position"],
        reading=_reading(identifier, row, newest_version),
    )


def _reading(
    identifier: str, row: asyncpg.Record, newest_version: int | None = None
) -> WalletReading:
    return WalletReading(
        wallet_id=identifier,
        newest_version=row["newest"] if newest_version is None else newest_version,
        view=None if row["version"] is None else wallet_view(identifier, row),
    )
