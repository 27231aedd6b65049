"""Given an event, then its line in the wallet's history, if it has one."""

from collections.abc import Callable

import msgspec
import pytest
from msgspec.structs import replace

from projections.interface import ProjectionMismatchError
from projections.transactions.evolve import transaction_of
from schemas.events import RecordedEvent
from tests.specs.event_factory import EventFactory, projected

Given = Callable[[EventFactory, str], object]


def _last(given: Given) -> tuple[RecordedEvent, EventFactory]:
    factory = EventFactory()
    wallet = factory.open()
    factory.credit(wallet, 1000)
    given(factory, wallet)
    return factory.take()[-1], factory


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (lambda f, w: f.credit(w, 5), ("credit", "credit", "completed", 5, 1000, 1005, 1005, None)),
        (lambda f, w: f.debit(w, 5), ("debit", "debit", "completed", 5, 1000, 995, 995, None)),
        (
            lambda f, w: f.decline(w, "debit"),
            ("debit", "debit", "failed", 1001, 1000, 1000, 1000, "insufficient_funds"),
        ),
        (
            lambda f, w: f.decline(w, "credit"),
            ("credit", "credit", "failed", 1001, 1000, 1000, 1000, "balance_limit_exceeded"),
        ),
    ],
    ids=["credit", "debit", "declined debit", "declined credit"],
)
def test_a_movement_and_a_declined_one_are_a_line(
    given: Given, expected: tuple[object, ...]
) -> None:
    recorded, _ = _last(given)
    view = transaction_of(projected(recorded))
    assert view is not None
    assert (
        view.type,
        view.kind,
        view.status,
        view.amount,
        view.balance_before,
        view.balance_after,
        view.available_balance,
        view.code,
    ) == expected
    assert view.id == f"txn_{recorded.event_id}"
    assert view.wallet_id == recorded.stream_id
    assert (view.version, view.created_at) == (recorded.version, recorded.recorded_at)
    assert view.reference is not None


def test_what_is_forfeited_at_closing_is_a_debit_of_its_own_kind() -> None:
    factory = EventFactory()
    wallet = factory.open()
    factory.credit(wallet, 1000)
    forfeited, closed = factory.close(wallet)
    view = transaction_of(projected(forfeited))
    assert view is not None
    assert (view.type, view.kind, view.amount, view.balance_after) == (
        "debit",
        "forfeiture",
        1000,
        0,
    )
    assert (view.reference, view.description, view.code) == (None, None, None)
    assert transaction_of(projected(closed)) is None


@pytest.mark.parametrize(
    "given",
    [
        lambda f, _: f.open(),
        lambda f, w: f.freeze(w),
        lambda f, w: (f.freeze(w), f.unfreeze(w)),
        lambda f, w: f.decline_change(w),
    ],
    ids=["opened", "frozen", "unfrozen", "change declined"],
)
def test_what_moves_no_money_is_no_line(given: Given) -> None:
    recorded, _ = _last(given)
    assert transaction_of(projected(recorded)) is None


@pytest.mark.parametrize(
    "given",
    [lambda f, w: f.credit(w, 5), lambda f, w: f.debit(w, 5), lambda f, w: f.close(w)[0]],
    ids=["credit", "debit", "forfeiture"],
)
def test_a_movement_whose_sum_is_wrong_stops_the_projection(given: Given) -> None:
    factory = EventFactory()
    wallet = factory.open()
    factory.credit(wallet, 1000)
    recorded = given(factory, wallet)
    assert isinstance(recorded, RecordedEvent)
    data = msgspec.json.decode(recorded.data)
    data["balance_after"] += 1
    with pytest.raises(ProjectionMismatchError):
        transaction_of(replace(projected(recorded), data=msgspec.json.encode(data)))
