"""Writes `topups`, in the transaction that writes `balances`, and compares it for a rebuild.

A batch without a top-up's event costs no statement here.
"""

from collections.abc import Iterable, Sequence

from projections.balances.evolve import TopupEvent, evolve_topup, topup_event
from projections.balances.rows import topup_view
from projections.interface import (
    Connection,
    EventRange,
    ProjectedEvent,
    ProjectionMismatchError,
)
from projections.statements import load_statement
from schemas.identifiers import hex_of, topup_id, wallet_id
from schemas.results import TopupView

TopupKey = tuple[str, str]
"""Tenant and top-up; another tenant's is another key."""

_LOAD = load_statement(__file__, "load_topups")
_UPDATE = load_statement(__file__, "update_topups")
_COMPARE = load_statement(__file__, "compare_topups")
_STRANGE = load_statement(__file__, "strange_topups")
_COLUMNS = (
    "tenant_id",
    "wallet_id",
    "topup_id",
    "opened_version",
    "status",
    "amount",
    "currency",
    "reference",
    "description",
    "redirect_url",
    "cancel_url",
    "metadata",
    "expires_at",
    "transaction_id",
    "payment_id",
    "code",
    "created_at",
    "updated_at",
    "version",
)


async def store_topups(connection: Connection, events: Iterable[ProjectedEvent]) -> None:
    """Fold the events of top-ups that are among these, and write the rows.

    Raises `ProjectionMismatchError` where an event contradicts its top-up's row.
    """
    touched = _by_topup(events)
    if not touched:
        return
    known = await _load(connection, list(touched))
    created: list[tuple[str, int, TopupView]] = []
    changed: list[tuple[str, TopupView, TopupView]] = []
    for key, its_events in touched.items():
        tenant_id, _ = key
        before = after = known.get(key)
        for recorded, event in its_events:
            after = evolve_topup(after, recorded, event)
        assert after is not None, "there is at least one event"
        if before is None:
            created.append((tenant_id, its_events[0][0].version, after))
        elif after.version != before.version:
            changed.append((tenant_id, before, after))
    if created:
        await _insert(connection, created)
    if changed:
        await _update(connection, changed)


def _by_topup(
    events: Iterable[ProjectedEvent],
) -> dict[TopupKey, list[tuple[ProjectedEvent, TopupEvent]]]:
    touched: dict[TopupKey, list[tuple[ProjectedEvent, TopupEvent]]] = {}
    for recorded in events:
        event = topup_event(recorded)
        if event is not None:
            key = (recorded.wallet.tenant_id, event.topup_id)
            touched.setdefault(key, []).append((recorded, event))
    return touched


async def _load(connection: Connection, keys: Sequence[TopupKey]) -> dict[TopupKey, TopupView]:
    rows = await connection.fetch(
        _LOAD, [tenant_id for tenant_id, _ in keys], [hex_of(topup) for _, topup in keys]
    )
    return {
        (str(row["tenant_id"]), topup_id(row["topup_id"].hex)): topup_view(
            wallet_id(row["wallet_id"].hex), row
        )
        for row in rows
    }


async def _insert(connection: Connection, created: Sequence[tuple[str, int, TopupView]]) -> None:
    await connection.copy_records_to_table(
        "topups",
        columns=_COLUMNS,
        records=[
            (
                tenant_id,
                hex_of(view.wallet_id),
                hex_of(view.id),
                opened_version,
                view.status,
                view.amount,
                view.currency,
                view.reference,
                view.description,
                view.redirect_url,
                view.cancel_url,
                bytes(view.metadata).decode(),
                view.expires_at,
                _digits(view.transaction_id),
                view.payment_id,
                view.code,
                view.created_at,
                view.updated_at,
                view.version,
            )
            for tenant_id, opened_version, view in created
        ],
    )


async def _update(
    connection: Connection, changed: Sequence[tuple[str, TopupView, TopupView]]
) -> None:
    status = await connection.execute(
        _UPDATE,
        [tenant_id for tenant_id, _, _ in changed],
        [hex_of(after.id) for _, _, after in changed],
        [before.version for _, before, _ in changed],
        [after.version for _, _, after in changed],
        [after.status for _, _, after in changed],
        [_digits(after.transaction_id) for _, _, after in changed],
        [after.payment_id for _, _, after in changed],
        [after.code for _, _, after in changed],
        [after.updated_at for _, _, after in changed],
    )
    if status != f"UPDATE {len(changed)}":
        message = f"{len(changed)} top-ups were read and folded, then changed by another: {status}"
        raise ProjectionMismatchError(message)


def _digits(identifier: str | None) -> str | None:
    return None if identifier is None else hex_of(identifier)


async def compare_topups(connection: Connection, ranges: Sequence[EventRange]) -> list[str]:
    """Top-ups that these events changed and whose two rows differ."""
    rows = await connection.fetch(
        _COMPARE,
        [each.wallet.tenant_id for each in ranges],
        [hex_of(each.wallet.wallet_id) for each in ranges],
        [each.first_version for each in ranges],
        [each.last_version for each in ranges],
    )
    return [
        f"{topup_id(row['topup_id'].hex)}: live {row['live']}, rebuilt {row['rebuilt']}"
        for row in rows
    ]


async def strange_topups(
    connection: Connection, start: Sequence[str], up_to_position: int, limit: int
) -> tuple[list[str], tuple[str, str] | None]:
    """One page of live top-ups that the rebuilt table does not have, and where the next begins.

    The page begins behind a tenant and a top-up, both as hexadecimal digits.
    """
    rows = await connection.fetch(_STRANGE, *start, limit, up_to_position)
    found = [
        f"{topup_id(row['topup_id'].hex)}: only the live table has it"
        for row in rows
        if row["stranger"]
    ]
    if len(rows) < limit:
        return found, None
    return found, (rows[-1]["tenant_id"].hex, rows[-1]["topup_id"].hex)
