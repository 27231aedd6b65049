"""Given an event, then its line in the wallet's history, if it has one."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import cast

import msgspec
import pytest
from msgspec.structs import replace

from ledger.command_handling.originals import Originals
from ledger.command_handling.targets import Target, target_of
from ledger.event_log.interface import EventKey, EventLog
from projections.interface import ProjectionMismatchError
from projections.transactions.evolve import reversed_after, transaction_of
from schemas.commands import CaptureHold, CreditWallet, ReverseTransaction, TransferMoney
from schemas.events import RecordedEvent, decode_event
from schemas.identifiers import hold_id, transaction_id
from schemas.results import TransactionView
from tests.specs.decider import WALLET_ID
from tests.specs.event_factory import EPOCH, EventFactory, projected
from tests.specs.world import TENANT, submission

SAMPLES = sorted((Path(__file__).parents[1] / "golden" / "events").glob("wallet.*.json"))
SOON = EPOCH + timedelta(minutes=1)
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


def test_a_credit_that_lapses_says_when_and_its_lapse_is_an_expiry_that_nobody_asked_for() -> None:
    factory = EventFactory()
    wallet = factory.open()
    credited = factory.credit(wallet, 30, expires_at=SOON)
    factory.passed = SOON - EPOCH
    (lapsed,) = factory.expire_due(wallet)
    before, line = (transaction_of(projected(each)) for each in (credited, lapsed))
    assert before is not None
    assert line is not None
    assert (before.type, before.expires_at) == ("credit", SOON)
    assert (line.type, line.kind, line.amount, line.balance_after, line.expires_at) == (
        "expiry",
        "expiry",
        30,
        0,
        SOON,
    )
    assert (line.reference, line.description, bytes(line.metadata)) == (None, None, b"null")


def test_a_capture_names_its_hold_and_what_that_still_sets_aside() -> None:
    factory = EventFactory()
    wallet = factory.open()
    factory.credit(wallet, 1000)
    placed = factory.hold(wallet, 100)
    line = transaction_of(projected(factory.capture(placed, 30)))
    assert line is not None
    assert (line.type, line.kind, line.amount) == ("debit", "capture", 30)
    assert (line.balance_after, line.available_balance) == (970, 900)
    assert (line.hold_id, line.held_after) == (f"hol_{placed.event_id}", 70)
    assert line.reference == "hold-2", "the hold's, where the capture has none"


def test_each_leg_of_a_transfer_names_it_and_the_other_wallet() -> None:
    factory = EventFactory()
    sender, receiver = factory.open(), factory.open()
    factory.credit(sender, 1000)
    out, into = factory.transfer(sender, receiver, 100)
    lines = [transaction_of(projected(each)) for each in (out, into)]
    assert [
        line and (line.wallet_id, line.type, line.kind, line.transfer_id, line.other_wallet_id)
        for line in lines
    ] == [
        (sender, "debit", "transfer", f"trf_{out.event_id}", receiver),
        (receiver, "credit", "transfer", f"trf_{out.event_id}", sender),
    ]
    assert all(line and line.reference == "transfer-3" for line in lines)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (lambda f, w: f.debit(w, 100), "credit"),
        (lambda f, w: f.capture(f.hold(w, 100)), "credit"),
        (lambda f, w: f.credit(w, 100), "debit"),
    ],
    ids=["debit", "capture", "credit"],
)
def test_a_reversal_is_the_opposite_and_names_what_it_undoes(
    given: Callable[[EventFactory, str], RecordedEvent], expected: str
) -> None:
    factory = EventFactory()
    wallet = factory.open()
    factory.credit(wallet, 1000)
    original = given(factory, wallet)
    reversals = [
        projected(event) for amount in (30, 70) for event in factory.reverse(original, amount)
    ]
    lines = [transaction_of(each) for each in reversals]
    assert [line and (line.type, line.kind, line.amount, line.reverses) for line in lines] == [
        (expected, "reversal", 30, f"txn_{original.event_id}"),
        (expected, "reversal", 70, f"txn_{original.event_id}"),
    ]
    assert [reversed_after(each) for each in reversals] == [30, 100]
    assert reversed_after(projected(original)) is None


def test_both_legs_of_a_reversed_transfer_name_the_transfer_and_their_own_originals() -> None:
    factory = EventFactory()
    sender, receiver = factory.open(), factory.open()
    factory.credit(sender, 1000)
    out, into = factory.transfer(sender, receiver, 100)
    lines = [transaction_of(projected(each)) for each in factory.reverse(into)]
    assert {
        line and (line.wallet_id, line.type, line.kind, line.transfer_id, line.reverses)
        for line in lines
    } == {
        (sender, "credit", "reversal", f"trf_{out.event_id}", f"txn_{out.event_id}"),
        (receiver, "debit", "reversal", f"trf_{out.event_id}", f"txn_{into.event_id}"),
    }


def test_a_declined_line_names_what_it_was_about() -> None:
    factory = EventFactory()
    wallet, other = factory.open(), factory.open()
    factory.credit(wallet, 1000)
    placed, debited = factory.hold(wallet, 100), factory.debit(wallet, 10)
    factory.freeze(other, "credits")
    hold, transaction = hold_id(placed.event_id), transaction_id(debited.event_id)
    (capture,) = factory.do(wallet, CaptureHold(hold_id=hold, amount=101))
    (transfer,) = factory.do(
        wallet,
        TransferMoney(from_wallet_id=wallet, to_wallet_id=other, amount=5, reference="t"),
    )
    (reversal,) = factory.do(
        wallet, ReverseTransaction(transaction_id=transaction, amount=11, reference="r")
    )
    (credit,) = factory.do(other, CreditWallet(wallet_id=other, amount=5, reference="c"))
    lines = [transaction_of(projected(each)) for each in (capture, transfer, reversal, credit)]
    assert [
        line
        and (line.type, line.kind, line.code, line.hold_id, line.other_wallet_id, line.reverses)
        for line in lines
    ] == [
        ("debit", "capture", "capture_exceeds_hold", hold, None, None),
        ("debit", "transfer", "wallet_frozen", None, other, None),
        ("credit", "reversal", "reversal_exceeds_transaction", None, None, transaction),
        ("credit", "credit", "wallet_frozen", None, None, None),
    ]
    assert all(line and line.status == "failed" for line in lines)


@pytest.mark.parametrize(
    "given",
    [
        lambda f, _: f.open(),
        lambda f, w: f.hold(w, 5),
        lambda f, w: f.void(f.hold(w, 5)),
        lambda f, w: f.freeze(w),
        lambda f, w: (f.freeze(w), f.unfreeze(w)),
        lambda f, w: f.decline_change(w),
    ],
    ids=["opened", "held", "voided", "frozen", "unfrozen", "change declined"],
)
def test_what_moves_no_money_is_no_line(given: Given) -> None:
    recorded, _ = _last(given)
    assert transaction_of(projected(recorded)) is None


@pytest.mark.parametrize(
    "given",
    [
        lambda f, w: f.credit(w, 5),
        lambda f, w: f.debit(w, 5),
        lambda f, w: f.close(w)[0],
        lambda f, w: f.capture(f.hold(w, 5)),
        lambda f, w: f.transfer(w, f.open(), 5)[0],
        lambda f, w: f.reverse(f.debit(w, 5))[0],
    ],
    ids=["credit", "debit", "forfeiture", "capture", "transfer", "reversal"],
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


class _Log:
    """Has one event, whatever is asked for."""

    def __init__(self, event: RecordedEvent) -> None:
        self.event = event

    async def find_events(self, keys: Sequence[EventKey]) -> dict[EventKey, RecordedEvent]:
        """See `EventLog`."""
        return dict.fromkeys(keys, self.event)


def _recorded(path: Path) -> RecordedEvent:
    return RecordedEvent(
        position=1,
        tenant_id=TENANT,
        stream_id=WALLET_ID,
        version=1,
        event_id="0c" * 16,
        type=path.name.split(".v1.")[0],
        schema_version=1,
        data=path.read_text(encoding="utf-8"),
        metadata="{}",
        recorded_at=EPOCH,
        hash=b"",
    )


@pytest.mark.parametrize("path", SAMPLES, ids=[path.name for path in SAMPLES])
async def test_whatever_has_a_line_can_be_named_in_a_reversal_and_nothing_else_can(
    path: Path,
) -> None:
    """The wallet may still refuse; but then it says why, and not that there is no transaction."""
    recorded = _recorded(path)
    asked = submission(
        ReverseTransaction(transaction_id=transaction_id(recorded.event_id), reference="back")
    )
    originals = Originals(cast("EventLog", _Log(recorded)), places=1)
    await originals.bring([asked])
    has_a_line = transaction_of(projected(recorded)) is not None
    assert isinstance(target_of(asked, originals), Target) is has_a_line


NAMES = ("amount", "currency", "hold_id", "transfer_id", "topup_id", "payment_id", "expires_at")


@pytest.mark.parametrize("path", SAMPLES, ids=[path.name for path in SAMPLES])
def test_a_line_names_whatever_its_event_names(path: Path) -> None:
    recorded = _recorded(path)
    line = transaction_of(projected(recorded))
    if line is None:
        return
    event = decode_event(recorded.type, 1, recorded.data)
    for name in NAMES:
        assert getattr(line, name) == getattr(event, name, None), name
    assert msgspec.json.decode(msgspec.json.encode(line), type=TransactionView) == line
