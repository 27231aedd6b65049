"""Given a hold's events, when they are folded, then its row."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from projections.balances.evolve import evolve_hold, hold_event
from projections.interface import ProjectedEvent, ProjectionMismatchError
from schemas.events import RecordedEvent
from schemas.results import HoldView
from tests.specs.event_factory import EPOCH, EventFactory, projected

SOON = EPOCH + timedelta(minutes=1)
Happens = Callable[[EventFactory, RecordedEvent], object]


def _fold(events: Sequence[ProjectedEvent]) -> HoldView | None:
    view = None
    for recorded in events:
        event = hold_event(recorded)
        if event is not None:
            view = evolve_hold(view, recorded, event)
    return view


def _placed(happens: Happens) -> list[ProjectedEvent]:
    factory = EventFactory()
    wallet = factory.open()
    factory.credit(wallet, 1000)
    happens(factory, factory.hold(wallet, 100, expires_at=SOON))
    return [projected(event) for event in factory.take()]


def _expire(factory: EventFactory, placed: RecordedEvent) -> list[RecordedEvent]:
    factory.passed = SOON - EPOCH
    return factory.expire_due(placed.stream_id)


@pytest.mark.parametrize(
    ("happens", "status", "captured", "held"),
    [
        (lambda _f, _h: None, "open", 0, 100),
        (lambda f, h: f.debit(h.stream_id, 1), "open", 0, 100),
        (lambda f, h: f.capture(h, 30), "open", 30, 70),
        (lambda f, h: (f.capture(h, 30), f.capture(h, 20)), "open", 50, 50),
        (lambda f, h: (f.capture(h, 30), f.capture(h)), "captured", 100, 0),
        (lambda f, h: f.capture(h, 30, final=True), "captured", 30, 0),
        (lambda f, h: f.void(h), "voided", 0, 0),
        (lambda f, h: (f.capture(h, 30), f.void(h)), "voided", 30, 0),
        (lambda f, h: f.close(h.stream_id), "voided", 0, 0),
        (_expire, "expired", 0, 0),
        (lambda f, h: (f.capture(h, 30), _expire(f, h)), "expired", 30, 0),
    ],
    ids=[
        "placed",
        "something else",
        "some",
        "twice",
        "all",
        "final",
        "voided",
        "voided after some",
        "closed",
        "expired",
        "expired after some",
    ],
)
def test_a_hold_says_what_became_of_it(
    happens: Happens, status: str, captured: int, held: int
) -> None:
    events = _placed(happens)
    view = _fold(events)
    own = [event for event in events if hold_event(event) is not None]
    assert view is not None
    assert (view.status, view.amount, view.captured_amount, view.held_amount) == (
        status,
        100,
        captured,
        held,
    )
    assert view.id == f"hol_{own[0].event_id}"
    assert view.wallet_id == own[0].wallet.stream_id
    assert (view.version, view.updated_at) == (own[-1].version, own[-1].recorded_at)
    assert (view.created_at, view.expires_at) == (own[0].recorded_at, SOON)
    assert (view.reference, view.description) == ("hold-2", "A hold")
    assert bytes(view.metadata) == b'{"a": [1,  2.50]}', "verbatim"


@pytest.mark.parametrize(
    ("happens", "field", "wrong"),
    [
        (lambda _f, _h: None, "hold_id", "hol_" + "0" * 32),
        (lambda f, h: f.capture(h, 30), "held_after", 71),
        (lambda f, h: f.capture(h, 30, final=True), "released", 69),
        (lambda f, h: f.void(h), "amount", 99),
    ],
    ids=["another name", "captured", "final", "voided"],
)
def test_a_change_that_does_not_add_up_stops_the_projection(
    happens: Happens, field: str, wrong: object
) -> None:
    *before, last = _placed(happens)
    data = msgspec.json.decode(last.data) | {field: wrong}
    with pytest.raises(ProjectionMismatchError):
        _fold([*before, replace(last, data=msgspec.json.encode(data))])


@pytest.mark.parametrize(
    "order", [[0, 0], [1], [0, 1, 1]], ids=["placed twice", "never placed", "over already"]
)
def test_what_does_not_follow_stops_the_projection(order: list[int]) -> None:
    events = [event for event in _placed(lambda f, h: f.void(h)) if hold_event(event) is not None]
    with pytest.raises(ProjectionMismatchError, match=r"wallet\.hold"):
        _fold([events[place] for place in order])


@pytest.mark.parametrize(
    "happens", [lambda f, h: f.capture(h, 30), lambda f, h: f.void(h)], ids=["captured", "voided"]
)
def test_an_event_of_another_wallet_stops_the_projection(happens: Happens) -> None:
    *before, last = _placed(happens)
    elsewhere = replace(last, wallet=last.wallet._replace(stream_id="wal_" + "0" * 32))
    with pytest.raises(ProjectionMismatchError, match="of wal_"):
        _fold([*before, elsewhere])
