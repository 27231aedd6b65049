"""Writes `holds`, in the transaction that writes `balances`, and compares it for a rebuild.

A batch without a hold's event costs no statement here.
"""

from collections.abc import Iterable, Sequence

from projections.balances.evolve import HoldEvent, evolve_hold, hold_event
from projections.balances.rows import hold_view
from projections.interface import (
    Connection,
    EventRange,
    ProjectedEvent,
    ProjectionMismatchError,
)
from projections.statements import load_statement
from schemas.identifiers import hex_of, hold_id, wallet_id
from schemas.results import HoldView

HoldKey = tuple[str, str]
"""Tenant and hold; another tenant's is another key."""

_LOAD = load_statement(__file__, "load_holds")
_UPDATE = load_statement(__file__, "update_holds")
_COMPARE = load_statement(__file__, "compare_holds")
_STRANGE = load_statement(__file__, "strange_holds")
_COLUMNS = (
    "tenant_id",
    "wallet_id",
    "hold_id",
    "opened_version",
    "status",
    "amount",
    "captured_amount",
    "held_amount",
    "currency",
    "reference",
    "description",
    "metadata",
    "expires_at",
    "created_at",
    "updated_at",
    "version",
)


async def store_holds(connection: Connection, events: Iterable[ProjectedEvent]) -> None:
    """Fold the events of holds that are among these, and write the rows.

    Raises `ProjectionMismatchError` where an event contradicts its hold's row.
    """
    touched = _by_hold(events)
    if not touched:
        return
    known = await _load(connection, list(touched))
    placed: list[tuple[str, int, HoldView]] = []
    changed: list[tuple[str, HoldView, HoldView]] = []
    for key, its_events in touched.items():
        tenant_id, _ = key
        before = after = known.get(key)
        for recorded, event in its_events:
            after = evolve_hold(after, recorded, event)
        assert after is not None, "there is at least one event"
        if before is None:
            placed.append((tenant_id, its_events[0][0].version, after))
        else:
            changed.append((tenant_id, before, after))
    if placed:
        await _insert(connection, placed)
    if changed:
        await _update(connection, changed)


def _by_hold(
    events: Iterable[ProjectedEvent],
) -> dict[HoldKey, list[tuple[ProjectedEvent, HoldEvent]]]:
    touched: dict[HoldKey, list[tuple[ProjectedEvent, HoldEvent]]] = {}
    for recorded in events:
        event = hold_event(recorded)
        if event is not None:
            key = (recorded.wallet.tenant_id, event.hold_id)
            touched.setdefault(key, []).append((recorded, event))
    return touched


async def _load(connection: Connection, keys: Sequence[HoldKey]) -> dict[HoldKey, HoldView]:
    rows = await connection.fetch(
        _LOAD, [tenant_id for tenant_id, _ in keys], [hex_of(hold) for _, hold in keys]
    )
    return {
        (str(row["tenant_id"]), hold_id(row["hold_id"].hex)): hold_view(
            wallet_id(row["wallet_id"].hex), row
        )
        for row in rows
    }


async def _insert(connection: Connection, placed: Sequence[tuple[str, int, HoldView]]) -> None:
    await connection.copy_records_to_table(
        "holds",
        columns=_COLUMNS,
        records=[
            (
                tenant_id,
                hex_of(view.wallet_id),
                hex_of(view.id),
                opened_version,
                view.status,
                view.amount,
                view.captured_amount,
                view.held_amount,
                view.currency,
                view.reference,
                view.description,
                bytes(view.metadata).decode(),
                view.expires_at,
                view.created_at,
                view.updated_at,
                view.version,
            )
            for tenant_id, opened_version, view in placed
        ],
    )


async def _update(
    connection: Connection, changed: Sequence[tuple[str, HoldView, HoldView]]
) -> None:
    status = await connection.execute(
        _UPDATE,
        [tenant_id for tenant_id, _, _ in changed],
        [hex_of(after.id) for _, _, after in changed],
        [before.version for _, before, _ in changed],
        [after.version for _, _, after in changed],
        [after.status for _, _, after in changed],
        [after.captured_amount for _, _, after in changed],
        [after.held_amount for _, _, after in changed],
        [after.updated_at for _, _, after in changed],
    )
    if status != f"UPDATE {len(changed)}":
        message = f"{len(changed)} holds were read and folded, then changed by another: {status}"
        raise ProjectionMismatchError(message)


async def compare_holds(connection: Connection, ranges: Sequence[EventRange]) -> list[str]:
    """Holds that these events changed and whose two rows differ."""
    rows = await connection.fetch(
        _COMPARE,
        [each.wallet.tenant_id for each in ranges],
        [hex_of(each.wallet.wallet_id) for each in ranges],
        [each.first_version for each in ranges],
        [each.last_version for each in ranges],
    )
    return [
        f"{hold_id(row['hold_id'].hex)}: live {row['live']}, rebuilt {row['rebuilt']}"
        for row in rows
    ]


async def strange_holds(
    connection: Connection, start: Sequence[str], up_to_position: int, limit: int
) -> tuple[list[str], tuple[str, str] | None]:
    """One page of live holds that the rebuilt table does not have, and where the next begins.

    The page begins behind a tenant and a hold, both as hexadecimal digits.
    """
    rows = await connection.fetch(_STRANGE, *start, limit, up_to_position)
    found = [
        f"{hold_id(row['hold_id'].hex)}: only the live table has it"
        for row in rows
        if row["stranger"]
    ]
    if len(rows) < limit:
        return found, None
    return found, (rows[-1]["tenant_id"].hex, rows[-1]["hold_id"].hex)
