"""Given a wallet's events, when they are folded, then its row."""

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ledger.command_handling.views import wallet_view
from projections.balances.evolve import fold
from projections.interface import ProjectedEvent, ProjectionMismatchError
from projections.runner import by_wallet
from schemas.events import RecordedEvent
from tests.specs.event_factory import EPOCH, TENANT_ID, EventFactory, projected

SOON = EPOCH + timedelta(minutes=1)
LATER = EPOCH + timedelta(minutes=2)
Happens = Callable[[EventFactory, str], object]


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


def _lapsed(factory: EventFactory, wallet: str) -> None:
    factory.credit(wallet, 30, expires_at=SOON)
    factory.passed = SOON - EPOCH
    factory.expire_due(wallet)


def _expired(factory: EventFactory, wallet: str) -> None:
    factory.hold(wallet, 60, expires_at=SOON)
    factory.passed = SOON - EPOCH
    factory.expire_due(wallet)


@pytest.mark.parametrize(
    ("happens", "balance", "available", "expiring"),
    [
        (lambda f, w: f.hold(w, 60), 1000, 940, None),
        (lambda f, w: f.capture(f.hold(w, 60), 20), 980, 940, None),
        (lambda f, w: f.capture(f.hold(w, 60)), 940, 940, None),
        (lambda f, w: f.capture(f.hold(w, 60), 20, final=True), 980, 980, None),
        (lambda f, w: f.void(f.hold(w, 60)), 1000, 1000, None),
        (_expired, 1000, 1000, None),
        (lambda f, w: f.credit(w, 30, expires_at=SOON), 1030, 1030, (30, SOON, 30)),
        (
            lambda f, w: (f.credit(w, 5, expires_at=LATER), f.credit(w, 30, expires_at=SOON)),
            1035,
            1035,
            (35, SOON, 30),
        ),
        (
            lambda f, w: (f.credit(w, 30, expires_at=SOON), f.debit(w, 10)),
            1020,
            1020,
            (20, SOON, 20),
        ),
        (
            lambda f, w: (f.credit(w, 30, expires_at=SOON), f.hold(w, 20)),
            1030,
            1010,
            (10, SOON, 10),
        ),
        (
            lambda f, w: (f.credit(w, 30, expires_at=SOON), f.void(f.hold(w, 20))),
            1030,
            1030,
            (30, SOON, 30),
        ),
        (_lapsed, 1000, 1000, None),
        (lambda f, w: f.transfer(w, f.open(), 100), 900, 900, None),
        (lambda f, w: f.transfer(_rich(f), w, 100), 1100, 1100, (100, LATER, 100)),
        (lambda f, w: f.reverse(f.debit(w, 100), 30), 930, 930, None),
        (lambda f, w: f.reverse(f.credit(w, 100), 30), 1070, 1070, None),
        (
            lambda f, w: (
                f.reverse(f.transfer(w, other := f.open(), 100)[0]),
                f.debit(w, 1000),
                f.transfer(_rich(f), other, 1),
            ),
            0,
            0,
            None,
        ),
        (
            lambda f, w: (credit := f.credit(w, 9), f.debit(w, 1009), _taken(f, credit)),
            -9,
            -9,
            None,
        ),
    ],
    ids=[
        "hold",
        "capture of some",
        "capture of all",
        "final capture",
        "void",
        "hold that expires",
        "credit that lapses",
        "credit that lapses sooner",
        "debit of a lot",
        "hold of a lot",
        "void into its lot",
        "lapse",
        "transfer out",
        "transfer in, with its lot",
        "debit reversed",
        "credit reversed",
        "transfer reversed",
        "credit reversed that was spent",
    ],
)
def test_what_is_booked_what_is_available_and_what_of_it_lapses(
    happens: Happens,
    balance: int,
    available: int,
    expiring: tuple[int, object, int] | None,
) -> None:
    factory = EventFactory()
    wallet = factory.open()
    factory.credit(wallet, 1000)
    happens(factory, wallet)
    events = [event for event in _events(factory) if event.wallet.stream_id == wallet]
    view = fold(None, events)
    assert view is not None
    assert (view.balance, view.available_balance, view.version) == (balance, available, len(events))
    found = view.expiring
    assert (found and (found.amount, found.next_at, found.next_amount)) == expiring
    assert view.updated_at == events[-1].recorded_at


def _rich(factory: EventFactory) -> str:
    wallet = factory.open()
    factory.credit(wallet, 500, expires_at=LATER)
    return wallet


def _taken(factory: EventFactory, credit: RecordedEvent) -> object:
    return factory.reverse(credit, allow_negative=True)


@pytest.mark.parametrize(
    ("happens", "frozen", "status"),
    [
        (lambda f, w: f.freeze(w), "debits", "frozen"),
        (lambda f, w: f.freeze(w, "credits"), "credits", "frozen"),
        (lambda f, w: (f.freeze(w, "credits"), f.freeze(w)), "all", "frozen"),
        (lambda f, w: (f.freeze(w, "all"), f.decline(w, "debit")), "all", "frozen"),
        (lambda f, w: (f.freeze(w, "all"), f.unfreeze(w)), None, "active"),
        (lambda f, w: (f.freeze(w), f.close(w)), None, "closed"),
    ],
    ids=["debits", "credits", "one and the other", "all", "lifted", "closed"],
)
def test_freezes_add_up_until_they_are_lifted(
    happens: Happens, frozen: str | None, status: str
) -> None:
    factory = EventFactory()
    wallet = factory.open()
    happens(factory, wallet)
    view = fold(None, [each for each in _events(factory) if each.wallet.stream_id == wallet])
    assert view is not None
    assert (view.frozen, view.status) == (frozen, status)


@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(0, 150))
def test_a_row_is_what_the_wallet_itself_knows(seed: int, wallets: int, events: int) -> None:
    factory = EventFactory(seed)
    identifiers = factory.history(wallets, events)
    streams = by_wallet(_events(factory))
    found = {wallet.stream_id: fold(None, stream) for wallet, stream in streams.items()}
    for identifier in identifiers:
        assert found[identifier] == wallet_view(factory.wallet(identifier))


@pytest.mark.parametrize("field", ["balance_after", "balance_before", "amount", "available_after"])
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
    "happens",
    [
        lambda f, w: f.credit(w, 5),
        lambda f, w: f.debit(w, 5),
        lambda f, w: f.hold(w, 5),
        lambda f, w: f.topup(w, 5),
    ],
    ids=["credit", "debit", "hold", "top-up"],
)
def test_an_event_in_another_currency_stops_the_projection(happens: Happens) -> None:
    factory = EventFactory()
    wallet = factory.open()
    factory.credit(wallet, 1000)
    happens(factory, wallet)
    *before, last = _events(factory)
    data = msgspec.json.decode(last.data) | {"currency": "NGN"}
    with pytest.raises(ProjectionMismatchError):
        fold(None, [*before, replace(last, data=msgspec.json.encode(data))])


@pytest.mark.parametrize("held", [0, 1000], ids=["it is available", "all of it is held"])
def test_a_wallet_that_closes_with_money_in_it_stops_the_projection(held: int) -> None:
    factory = EventFactory()
    wallet = factory.open()
    factory.credit(wallet, 1000)
    if held:
        factory.hold(wallet, held)
    before = _events(factory)
    factory.close(wallet)
    closed = replace(_events(factory)[-1], version=len(before) + 1)
    with pytest.raises(ProjectionMismatchError, match=f"{1000 - held} available"):
        fold(None, [*before, closed])


@pytest.mark.parametrize(
    "happens",
    [lambda f, w: f.decline(w, "debit"), lambda f, w: f.decline_change(w)],
    ids=["a debit", "a change"],
)
def test_a_decline_on_another_balance_stops_the_projection(happens: Happens) -> None:
    factory = EventFactory()
    wallet = factory.open()
    factory.credit(wallet, 1000)
    happens(factory, wallet)
    *before, last = _events(factory)
    data = msgspec.json.decode(last.data) | {"balance": 999}
    with pytest.raises(ProjectionMismatchError, match="the row holds 1000"):
        fold(None, [*before, replace(last, data=msgspec.json.encode(data))])


def test_a_wallet_whose_first_event_is_not_its_opening_stops_the_projection() -> None:
    factory = EventFactory()
    factory.open()
    (opened,) = _events(factory)
    with pytest.raises(ProjectionMismatchError):
        fold(None, [replace(opened, version=2)])


@pytest.mark.parametrize("field", ["balance", "available_after"])
@pytest.mark.parametrize("released", [False, True], ids=["placed", "released"])
def test_a_hold_that_does_not_add_up_stops_the_projection(field: str, *, released: bool) -> None:
    factory = EventFactory()
    wallet = factory.open()
    factory.credit(wallet, 1000)
    placed = factory.hold(wallet, 300)
    if released:
        factory.void(placed)
    *before, last = _events(factory)
    data = msgspec.json.decode(last.data)
    data[field] += 1
    with pytest.raises(ProjectionMismatchError):
        fold(None, [*before, replace(last, data=msgspec.json.encode(data))])


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
