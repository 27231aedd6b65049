"""Given a wallet's events, when they are folded, then its row."""

import msgspec
import pytest
from msgspec.structs import replace

from projections.balances.evolve import fold
from projections.interface import ProjectedEvent, ProjectionMismatchError
from tests.specs.event_factory import EPOCH, TENANT_ID, EventFactory, projected


def _events(factory: EventFactory) -> list[ProjectedEvent]:
    return [projected(event) for event in factory.take()]


def test_a_new_wallet_is_empty_and_active() -> None:
    factory = EventFactory()
    wallet = factory.open(customer_id="cus_1", currency="NGN", metadata=b'{"a":  1.50}')
    events = _events(factory)
    view = fold(None, events)
    assert view is not None
    assert (view.id, view.customer_id, view.currency) == (wallet, "cus_1", "NGN")
    assert (view.balance, view.available_balance, view.status) == (0, 0, "active")
    assert (view.version, view.created_at, view.updated_at) == (
        1,
        events[0].recorded_at,
        events[0].recorded_at,
    )
    assert bytes(view.metadata) == b'{"a":  1.50}', "verbatim"


def test_money_and_status_move_the_row_and_a_decline_only_its_version() -> None:
    factory = EventFactory()
    wallet = factory.open()
    factory.credit(wallet, 1000)
    factory.debit(wallet, 300)
    factory.freeze(wallet)
    changed = factory.position
    factory.decline(wallet, "debit")
    factory.decline_change(wallet)
    view = fold(None, _events(factory))
    assert view is not None
    assert (view.balance, view.available_balance, view.status, view.version) == (
        700,
        700,
        "frozen",
        6,
    )
    assert (view.updated_at - EPOCH).total_seconds() * 1000 == changed


def test_a_closed_wallet_is_empty() -> None:
    factory = EventFactory()
    wallet = factory.open()
    factory.credit(wallet, 1000)
    factory.freeze(wallet)
    factory.unfreeze(wallet)
    factory.close(wallet)
    view = fold(None, _events(factory))
    assert view is not None
    assert (view.balance, view.status, view.version) == (0, "closed", 6)


def test_an_event_that_starts_from_another_balance_stops_the_projection() -> None:
    factory = EventFactory()
    wallet = factory.open()
    factory.credit(wallet, 1000)
    factory.debit(wallet, 1)
    opened, _, debited = _events(factory)
    with pytest.raises(ProjectionMismatchError, match="starts at 1000"):
        fold(None, [opened, replace(debited, version=2)])


@pytest.mark.parametrize("field", ["balance_after", "balance_before", "amount"])
def test_a_movement_whose_sum_is_wrong_stops_the_projection(field: str) -> None:
    factory = EventFactory()
    wallet = factory.open()
    factory.credit(wallet, 1000)
    opened, credited = _events(factory)
    data = msgspec.json.decode(credited.data)
    data[field] += 1
    wrong = replace(credited, data=msgspec.json.encode(data))
    with pytest.raises(ProjectionMismatchError):
        fold(None, [opened, wrong])


@pytest.mark.parametrize(
    "order", [[0, 0], [1], [0, 2]], ids=["opened twice", "never opened", "one left out"]
)
def test_events_out_of_order_are_refused(order: list[int]) -> None:
    factory = EventFactory()
    wallet = factory.open()
    factory.freeze(wallet)
    factory.unfreeze(wallet)
    events = _events(factory)
    with pytest.raises(ProjectionMismatchError, match=TENANT_ID):
        fold(None, [events[place] for place in order])
