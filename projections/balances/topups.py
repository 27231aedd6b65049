"""Top-ups as parts of wallets: what of them is kept, and by which statements."""

from typing import Final

from projections.balances.evolve import TopupEvent, evolve_topup, topup_event
from projections.balances.parts import PartKind
from projections.balances.rows import topup_view
from projections.statements import load_statement
from schemas.identifiers import hex_of, topup_id
from schemas.results import TopupView


def _topup_of(event: TopupEvent) -> str:
    return event.topup_id


def _values_of(view: TopupView) -> tuple[object, ...]:
    return (
        view.status,
        view.amount,
        view.currency,
        view.reference,
        view.description,
        view.redirect_url,
        view.cancel_url,
        bytes(view.metadata).decode(),
        view.expires_at,
        _digits_of(view.transaction_id),
        view.payment_id,
        view.code,
        view.created_at,
        view.updated_at,
        view.version,
    )


def _changes_of(view: TopupView) -> tuple[object, ...]:
    paid_by = _digits_of(view.transaction_id)
    return (view.status, paid_by, view.payment_id, view.code, view.updated_at)


def _digits_of(identifier: str | None) -> str | None:
    return None if identifier is None else hex_of(identifier)


TOPUPS: Final = PartKind[TopupView, TopupEvent](
    table="topups",
    name="top-ups",
    id_column="topup_id",
    id_of_digits=topup_id,
    view_type=TopupView,
    event_of=topup_event,
    part_of=_topup_of,
    evolve=evolve_topup,
    view_of=topup_view,
    columns=(
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
    ),
    values_of=_values_of,
    changes_of=_changes_of,
    read=load_statement(__file__, "read_topup"),
    list_newest=load_statement(__file__, "list_topups"),
    list_by_status=load_statement(__file__, "list_topups_by_status"),
    load=load_statement(__file__, "load_topups"),
    update=load_statement(__file__, "update_topups"),
    compare=load_statement(__file__, "compare_topups"),
    strangers=load_statement(__file__, "strange_topups"),
)
