"""Holds as parts of wallets: what of them is kept, and by which statements."""

from typing import Final

from projections.balances.evolve import HoldEvent, evolve_hold, hold_event
from projections.balances.parts import PartKind
from projections.balances.rows import hold_view
from projections.statements import load_statement
from schemas.identifiers import hold_id
from schemas.results import HoldView


def _hold_of(event: HoldEvent) -> str:
    return event.hold_id


def _values_of(view: HoldView) -> tuple[object, ...]:
    return (
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


def _changes_of(view: HoldView) -> tuple[object, ...]:
    return (view.status, view.captured_amount, view.held_amount, view.updated_at)


HOLDS: Final = PartKind[HoldView, HoldEvent](
    table="holds",
    name="holds",
    id_column="hold_id",
    id_of_digits=hold_id,
    view_type=HoldView,
    event_of=hold_event,
    part_of=_hold_of,
    evolve=evolve_hold,
    view_of=hold_view,
    columns=(
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
    ),
    values_of=_values_of,
    changes_of=_changes_of,
    read=load_statement(__file__, "read_hold"),
    list_newest=load_statement(__file__, "list_holds"),
    list_by_status=load_statement(__file__, "list_holds_by_status"),
    load=load_statement(__file__, "load_holds"),
    update=load_statement(__file__, "update_holds"),
    compare=load_statement(__file__, "compare_holds"),
    strangers=load_statement(__file__, "strange_holds"),
)
