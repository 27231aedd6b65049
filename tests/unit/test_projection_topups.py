"""Given a top-up's events, when they are folded, then its row."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from projections.balances.evolve import evolve_topup, topup_event
from projections.interface import ProjectedEvent, ProjectionMismatchError
from schemas.events import RecordedEvent
from schemas.results import TopupView
from tests.specs.event_factory import EPOCH, EventFactory, projected

SOON = EPOCH + timedelta(minutes=1)
Happens = Callable[[EventFactory, RecordedEvent], object]


def _fold(events: Sequence[ProjectedEvent]) -> TopupView | None:
    view = None
    for recorded in events:
        event = topup_event(recorded)
        if event is not None:
            view = evolve_topup(view, recorded, event)
    return view


def _created(happens: Happens) -> list[ProjectedEvent]:
    factory = EventFactory()
    wallet = factory.open()
    happens(factory, factory.topup(wallet, 100, expires_at=SOON))
    return [projected(event) for event in factory.take()]


def _expire(factory: EventFactory, created: RecordedEvent) -> list[RecordedEvent]:
    factory.passed = SOON - EPOCH
    return factory.expire_due(created.stream_id)


def _pay_frozen(factory: EventFactory, created: RecordedEvent) -> list[RecordedEvent]:
    factory.freeze(created.stream_id, "credits")
    return factory.pay(created, 100, "pay_1")


def _pay_again(factory: EventFactory, created: RecordedEvent) -> list[RecordedEvent]:
    _pay_frozen(factory, created)
    factory.unfreeze(created.stream_id)
    return factory.pay(created, 100, "pay_2")


def _code_of(event: ProjectedEvent) -> str | None:
    """Why a payment is in no wallet. The row does not show it once another payment is in one."""
    code: str | None = msgspec.json.decode(event.data).get("code")
    return code


@pytest.mark.parametrize(
    ("happens", "status", "payment_id", "code"),
    [
        (lambda _f, _t: None, "pending", None, None),
        (lambda f, t: f.pay(t, 100, "pay_1"), "completed", "pay_1", None),
        (lambda f, t: f.cancel_topup(t), "cancelled", None, None),
        (lambda f, t: f.close(t.stream_id), "cancelled", None, None),
        (_expire, "expired", None, None),
        (lambda f, t: (_expire(f, t), f.pay(t, 100, "pay_1")), "completed", "pay_1", None),
        (lambda f, t: (f.cancel_topup(t), f.pay(t, 100, "pay_1")), "completed", "pay_1", None),
        (lambda f, t: f.pay(t, 99, "pay_1"), "unapplied", "pay_1", "payment_mismatch"),
        (_pay_frozen, "unapplied", "pay_1", "wallet_frozen"),
        (lambda f, t: (_pay_frozen(f, t), _expire(f, t)), "unapplied", "pay_1", "wallet_frozen"),
        (
            lambda f, t: (f.close(t.stream_id), f.pay(t, 100, "pay_1")),
            "unapplied",
            "pay_1",
            "wallet_closed",
        ),
        (
            lambda f, t: (f.pay(t, 1, "pay_1"), f.pay(t, 2, "pay_2")),
            "unapplied",
            "pay_2",
            "payment_mismatch",
        ),
        (_pay_again, "completed", "pay_2", None),
        (
            lambda f, t: (f.pay(t, 100, "pay_1"), f.pay(t, 100, "pay_2")),
            "completed",
            "pay_1",
            None,
        ),
    ],
    ids=[
        "created",
        "paid",
        "cancelled",
        "closed",
        "expired",
        "paid after it expired",
        "paid after it was cancelled",
        "a payment of another amount",
        "a payment into a frozen wallet",
        "expired after a payment that was not applied",
        "a payment into a closed wallet",
        "two payments that were not applied",
        "paid after a payment that was not applied",
        "paid twice",
    ],
)
def test_a_topup_says_what_became_of_it(
    happens: Happens, status: str, payment_id: str | None, code: str | None
) -> None:
    events = _created(happens)
    view = _fold(events)
    own = [event for event in events if topup_event(event) is not None]
    assert view is not None
    assert (view.status, view.payment_id, view.code) == (status, payment_id, code)
    assert (view.id, view.wallet_id) == (f"top_{own[0].event_id}", own[0].wallet.stream_id)
    assert (view.amount, view.currency, view.description) == (100, "GHS", "A top-up")
    assert (view.created_at, view.expires_at) == (own[0].recorded_at, SOON)
    assert bytes(view.metadata) == b'{"a": [1,  2.50]}', "verbatim"
    paid = [event for event in own if "payment_id" in msgspec.json.decode(event.data)]
    named: set[str | None] = {f"txn_{event.event_id}" for event in paid}
    assert view.transaction_id in (named or {None})
    shown = own[-2] if view.status == "completed" and _code_of(own[-1]) else own[-1]
    assert (view.version, view.updated_at) == (shown.version, shown.recorded_at)


@pytest.mark.parametrize(
    ("happens", "field", "wrong"),
    [
        (lambda _f, _t: None, "topup_id", "top_" + "0" * 32),
        (lambda f, t: f.pay(t, 100, "pay_1"), "amount", 99),
    ],
    ids=["another name", "another amount"],
)
def test_a_change_that_does_not_add_up_stops_the_projection(
    happens: Happens, field: str, wrong: object
) -> None:
    *before, last = _created(happens)
    data = msgspec.json.decode(last.data) | {field: wrong}
    with pytest.raises(ProjectionMismatchError):
        _fold([*before, replace(last, data=msgspec.json.encode(data))])


@pytest.mark.parametrize(
    "order",
    [[0, 0], [1], [0, 1, 2, 2], [0, 2, 1]],
    ids=["created twice", "never created", "paid twice", "ended after it was paid"],
)
def test_what_does_not_follow_stops_the_projection(order: list[int]) -> None:
    events = [
        event
        for event in _created(lambda f, t: (f.cancel_topup(t), f.pay(t, 100, "pay_1")))
        if topup_event(event) is not None
    ]
    with pytest.raises(ProjectionMismatchError, match=r"wallet\.top"):
        _fold([events[place] for place in order])


def test_nothing_ends_that_a_payment_has_come_for_even_if_it_was_not_applied() -> None:
    """Money that has come, and is in no wallet, must not be lost sight of."""
    events = _created(lambda f, t: (f.cancel_topup(t), _pay_frozen(f, t)))
    created, ended, unapplied = (event for event in events if topup_event(event) is not None)
    with pytest.raises(ProjectionMismatchError, match="is unapplied"):
        _fold([created, unapplied, ended])


@pytest.mark.parametrize("happens", [lambda f, t: f.pay(t, 100, "pay_1"),
                                     lambda f, t: f.pay(t, 99, "pay_1"),
                                     lambda f, t: f.cancel_topup(t)],
                         ids=["paid", "a payment of another amount", "cancelled"])  # fmt: skip
def test_an_event_of_another_wallet_stops_the_projection(happens: Happens) -> None:
    *before, last = _created(happens)
    elsewhere = replace(last, wallet=last.wallet._replace(stream_id="wal_" + "0" * 32))
    with pytest.raises(ProjectionMismatchError, match="is of wal_"):
        _fold([*before, elsewhere])
