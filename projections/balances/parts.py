"""Writes the tables of wallets' parts, `holds` and `topups`, and compares them for a rebuild.

They are written in the transaction that writes `balances`. A batch without an event of a kind
of part costs no statement here.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

import asyncpg
from msgspec import Struct

from projections.interface import (
    Connection,
    EventRange,
    ProjectedEvent,
    ProjectionMismatchError,
)
from schemas.identifiers import hex_of, wallet_id
from schemas.results import HoldView, TopupView

ViewT = TypeVar("ViewT", bound=HoldView | TopupView)
EventT = TypeVar("EventT")


class PartKind(Struct, Generic[ViewT, EventT], frozen=True, kw_only=True):
    """A kind of part: its events, how they are folded, and how rows are written and read."""

    table: str
    name: str
    """What its rows are called in words, in the plural."""
    id_column: str
    id_of_digits: Callable[[str], str]
    """A part's id, of 32 hexadecimal digits."""
    view_type: type[ViewT]
    event_of: Callable[[ProjectedEvent], EventT | None]
    """The event, if it is about such a part."""
    part_of: Callable[[EventT], str]
    """The id of the part that an event is about."""
    evolve: Callable[[ViewT | None, ProjectedEvent, EventT], ViewT]
    view_of: Callable[[str, asyncpg.Record], ViewT]
    """The view, of the wallet's id and a row of the table."""

    columns: Sequence[str]
    """All that `values_of` gives; before them come tenant, wallet, id and opened version."""
    values_of: Callable[[ViewT], tuple[object, ...]]
    changes_of: Callable[[ViewT], tuple[object, ...]]
    """What may differ later on, in the order in which `update` takes it, behind the version."""

    read: str
    list_newest: str
    list_by_status: str
    load: str
    update: str
    compare: str
    strangers: str

    def id_in(self, row: asyncpg.Record) -> str:
        """The id of the part whose row it is."""
        return self.id_of_digits(row[self.id_column].hex)


AnyPartKind: TypeAlias = PartKind[Any, Any]


class _Key(NamedTuple):
    """Another tenant's part is another one."""

    tenant_id: str
    part_id: str


class _Opened(NamedTuple, Generic[ViewT]):
    tenant_id: str
    version: int
    view: ViewT


class _Changed(NamedTuple, Generic[ViewT]):
    tenant_id: str
    before: ViewT
    after: ViewT


async def store_parts(
    connection: Connection, kind: PartKind[ViewT, EventT], events: Iterable[ProjectedEvent]
) -> None:
    """Fold the events of such parts that are among these, and write the rows.

    Raises `ProjectionMismatchError` where an event contradicts its part's row.
    """
    touched = _by_part(kind, events)
    if not touched:
        return
    known = await _load(connection, kind, list(touched))
    opened: list[_Opened[ViewT]] = []
    changed: list[_Changed[ViewT]] = []
    for key, its_events in touched.items():
        before = after = known.get(key)
        for recorded, event in its_events:
            after = kind.evolve(after, recorded, event)
        assert after is not None, "there is at least one event"
        if before is None:
            opened.append(_Opened(key.tenant_id, its_events[0][0].version, after))
        elif after.version != before.version:
            changed.append(_Changed(key.tenant_id, before, after))
    if opened:
        await _insert(connection, kind, opened)
    if changed:
        await _update(connection, kind, changed)


def _by_part(
    kind: PartKind[ViewT, EventT], events: Iterable[ProjectedEvent]
) -> dict[_Key, list[tuple[ProjectedEvent, EventT]]]:
    touched: dict[_Key, list[tuple[ProjectedEvent, EventT]]] = {}
    for recorded in events:
        event = kind.event_of(recorded)
        if event is not None:
            key = _Key(recorded.wallet.tenant_id, kind.part_of(event))
            touched.setdefault(key, []).append((recorded, event))
    return touched


async def _load(
    connection: Connection, kind: PartKind[ViewT, EventT], keys: Sequence[_Key]
) -> dict[_Key, ViewT]:
    rows = await connection.fetch(
        kind.load, [key.tenant_id for key in keys], [hex_of(key.part_id) for key in keys]
    )
    return {
        _Key(str(row["tenant_id"]), kind.id_in(row)): kind.view_of(
            wallet_id(row["wallet_id"].hex), row
        )
        for row in rows
    }


async def _insert(
    connection: Connection, kind: PartKind[ViewT, EventT], opened: Sequence[_Opened[ViewT]]
) -> None:
    await connection.copy_records_to_table(
        kind.table,
        columns=("tenant_id", "wallet_id", kind.id_column, "opened_version", *kind.columns),
        records=[
            (
                each.tenant_id,
                hex_of(each.view.wallet_id),
                hex_of(each.view.id),
                each.version,
                *kind.values_of(each.view),
            )
            for each in opened
        ],
    )


async def _update(
    connection: Connection, kind: PartKind[ViewT, EventT], changed: Sequence[_Changed[ViewT]]
) -> None:
    status = await connection.execute(
        kind.update,
        [each.tenant_id for each in changed],
        [hex_of(each.after.id) for each in changed],
        [each.before.version for each in changed],
        [each.after.version for each in changed],
        *zip(*(kind.changes_of(each.after) for each in changed), strict=True),
    )
    if status != f"UPDATE {len(changed)}":
        message = (
            f"{len(changed)} {kind.name} were read and folded, then changed by another: {status}"
        )
        raise ProjectionMismatchError(message)


async def compare_parts(
    connection: Connection, kind: AnyPartKind, ranges: Sequence[EventRange]
) -> list[str]:
    """Parts that these events concern and whose two rows differ."""
    rows = await connection.fetch(
        kind.compare,
        [each.wallet.tenant_id for each in ranges],
        [hex_of(each.wallet.stream_id) for each in ranges],
        [each.first_version for each in ranges],
        [each.last_version for each in ranges],
    )
    return [f"{kind.id_in(row)}: live {row['live']}, rebuilt {row['rebuilt']}" for row in rows]


async def strange_parts(
    connection: Connection,
    kind: AnyPartKind,
    start: Sequence[str],
    up_to_position: int,
    limit: int,
) -> tuple[list[str], tuple[str, str] | None]:
    """One page of live parts that the rebuilt table does not have, and where the next begins.

    The page begins behind a tenant and a part, both as hexadecimal digits.
    """
    rows = await connection.fetch(kind.strangers, *start, limit, up_to_position)
    found = [f"{kind.id_in(row)}: only the live table has it" for row in rows if row["stranger"]]
    if len(rows) < limit:
        return found, None
    return found, (rows[-1]["tenant_id"].hex, rows[-1][kind.id_column].hex)
