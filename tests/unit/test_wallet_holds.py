"""Holds: money set aside, then captured in parts, voided, or freed by itself."""

from datetime import timedelta
from typing import Literal

import pytest

from ledger.domain.wallet.state import MAX_HELD_LOTS, MAX_OPEN_HOLDS
from schemas.commands import CaptureHold, Command
from schemas.events import (
    CreditLapsed,
    DebitDeclined,
    HoldCaptured,
    HoldPlaced,
    HoldReleased,
    LotAmount,
    VoidDeclined,
    WalletClosed,
    WalletDebited,
)
from schemas.rejections import (
    CaptureExceedsHold,
    HoldNotOpen,
    HoldUnknown,
    InsufficientFunds,
    Rejection,
    TooManyHeldLots,
    TooManyHolds,
)
from schemas.rejections import WalletClosed as IsClosed
from schemas.rejections import WalletFrozen as IsFrozen
from tests.specs.decider import NEVER, OPENED, WALLET_ID, Given, Step, hold_named
from tests.specs.wallet_commands import (
    CLOSE,
    EXPIRE_DUE,
    JULY,
    JUNE,
    capture,
    credit,
    debit,
    freeze,
    hold,
    many_held_lots,
    void,
)

HELD_6: list[Step] = [OPENED, credit(10), hold(6)]


def test_a_hold_takes_what_is_available_and_leaves_what_is_booked() -> None:
    given = Given(OPENED, credit(4), credit(3, JUNE))
    given.when(hold(5, JULY)).then(
        HoldPlaced(
            hold_id=hold_named("h"),
            amount=5,
            balance=7,
            available_after=2,
            currency="GHS",
            reference="h",
            description="",
            allocated=(LotAmount(amount=3, expires_at=JUNE), LotAmount(amount=2)),
            expires_at=JULY,
        )
    )


def test_held_money_cannot_be_spent_by_a_debit() -> None:
    refused = Given(*HELD_6).when(debit(5)).decision.rejection
    assert refused == InsufficientFunds(amount=5, available=4)


def test_a_capture_without_an_amount_spends_all_of_it() -> None:
    Given(*HELD_6).when(capture()).then(
        HoldCaptured(
            hold_id=hold_named("h"),
            amount=6,
            balance_before=10,
            balance_after=4,
            available_after=4,
            currency="GHS",
            held_after=0,
            reference="captured",
            description="",
        )
    )


def test_a_capture_of_part_leaves_the_rest_held() -> None:
    given = Given(*HELD_6)
    given.when(capture(2)).then_has(booked=8, held=4, lots={NEVER: 4})
    given.when(capture(1)).then_has(booked=7, held=3, lots={NEVER: 4})
    given.when(capture()).then_has(booked=4, held=0, lots={NEVER: 4})
    assert given.wallets[WALLET_ID].holds == {}


def test_a_final_capture_frees_the_rest() -> None:
    when = Given(*HELD_6).when(capture(2, final=True))
    when.then_has(booked=8, held=0, lots={NEVER: 8})
    answer = when.decision.answer
    assert isinstance(answer, HoldCaptured)
    assert (answer.held_after, answer.released, answer.returned) == (0, 4, ())


def test_a_capture_without_a_reference_has_the_holds() -> None:
    when = Given(*HELD_6).when(CaptureHold(hold_id=hold_named("h"), amount=1))
    assert isinstance(when.decision.answer, HoldCaptured)
    assert when.decision.answer.reference == "h"


def test_a_void_frees_all_that_is_left() -> None:
    given = Given(OPENED, credit(3, JUNE), credit(7), hold(6), capture(4))
    given.when(void()).then(
        HoldReleased(
            hold_id=hold_named("h"),
            cause="voided",
            amount=2,
            balance=6,
            available_after=6,
            currency="GHS",
        )
    )


def test_a_capture_spends_the_holds_lots_in_their_order_even_after_their_moment() -> None:
    given = Given(OPENED, credit(3, JUNE), credit(3, JULY), credit(4), hold(8), JULY)
    when = given.when(capture(4)).then_has(booked=6, held=4, lots={NEVER: 2})
    answer = when.decision.answer
    assert isinstance(answer, HoldCaptured)
    assert answer.spent == (
        LotAmount(amount=3, expires_at=JUNE),
        LotAmount(amount=1, expires_at=JULY),
    )
    given.when(void()).then_kinds(HoldReleased, CreditLapsed).then_has(booked=4, lots={NEVER: 4})


def test_the_rest_of_a_final_capture_lapses_at_once_where_it_is_due() -> None:
    given = Given(OPENED, credit(10, JUNE), hold(10), JUNE)
    given.when(EXPIRE_DUE).then()
    when = given.when(capture(4, final=True)).then_kinds(HoldCaptured, CreditLapsed)
    when.then_has(booked=0, lots={})


def test_what_a_void_frees_goes_back_to_its_lots() -> None:
    given = Given(OPENED, credit(3, JUNE), credit(3, JULY), hold(4))
    given.when(void()).then_has(booked=6, lots={JUNE: 3, JULY: 3})


def test_a_hold_ends_at_its_moment_whichever_command_comes_first() -> None:
    given = Given(OPENED, credit(10), hold(6, JUNE))
    given.when(debit(10), now=JUNE).then_kinds(HoldReleased, WalletDebited)
    refused = given.when(capture()).decision.rejection
    assert refused == HoldNotOpen(hold_id=hold_named("h"))


def test_a_hold_can_be_captured_until_just_before_its_moment() -> None:
    given = Given(OPENED, credit(10), hold(6, JUNE))
    given.when(capture(), now=JUNE - timedelta(microseconds=1)).then_kinds(HoldCaptured)


def test_a_hold_that_ends_frees_what_may_lapse_at_once() -> None:
    given = Given(OPENED, credit(10, JUNE), hold(6, JULY))
    given.when(EXPIRE_DUE, now=JUNE).then_kinds(CreditLapsed).then_has(booked=6, held=6, lots={})
    when = given.when(EXPIRE_DUE, now=JULY).then_kinds(HoldReleased, CreditLapsed)
    when.then_has(booked=0, lots={})
    released = when.decision.events[0]
    assert isinstance(released, HoldReleased)
    assert released.cause == "expired"


def declined(
    code: str,
    kind: Literal["hold", "capture"],
    amount: int,
    available: int,
    *,
    limit: int | None = None,
) -> DebitDeclined:
    return DebitDeclined(
        code=code,
        kind=kind,
        amount=amount,
        balance=10 if available else 0,
        available=available,
        currency="GHS",
        reference="h" if kind == "hold" else "captured",
        description="",
        hold_id=hold_named("h") if kind == "capture" else None,
        limit=limit,
    )


OVER = HoldNotOpen(hold_id=hold_named("h"))
CLOSED: list[Step] = [OPENED, credit(6), hold(6), capture(), CLOSE]
DECLINED: list[tuple[str, list[Step], Command, Rejection, DebitDeclined | VoidDeclined]] = [
    ("a hold of too much", [OPENED, credit(10)], hold(11),
     InsufficientFunds(amount=11, available=10),
     declined("insufficient_funds", "hold", 11, 10)),
    ("a hold of what is held", HELD_6, hold(5, reference="h"),
     InsufficientFunds(amount=5, available=4), declined("insufficient_funds", "hold", 5, 4)),
    ("a hold while frozen", [OPENED, credit(10), freeze()], hold(11), IsFrozen(),
     declined("wallet_frozen", "hold", 11, 10)),
    ("a hold of a closed wallet", [OPENED, WalletClosed()], hold(1), IsClosed(),
     declined("wallet_closed", "hold", 1, 0)),
    ("a capture of too much", HELD_6, capture(7), CaptureExceedsHold(amount=7, held=6),
     declined("capture_exceeds_hold", "capture", 7, 4, limit=6)),
    ("a capture while frozen", [*HELD_6, freeze()], capture(7), IsFrozen(),
     declined("wallet_frozen", "capture", 7, 4)),
    ("a capture of a hold that is over", [*HELD_6, void(), freeze()], capture(), OVER,
     declined("hold_not_open", "capture", 6, 10)),
    ("a capture of a closed wallet", CLOSED, capture(2), IsClosed(),
     declined("wallet_closed", "capture", 2, 0)),
    ("a void of a hold that is over", [*HELD_6, void()], void(), OVER,
     VoidDeclined(code="hold_not_open", balance=10, hold_id=hold_named("h"))),
    ("a void of a closed wallet", CLOSED, void(), IsClosed(),
     VoidDeclined(code="wallet_closed", balance=0, hold_id=hold_named("h"))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("past", "command", "rejection", "event"),
    [row[1:] for row in DECLINED],
    ids=[row[0] for row in DECLINED],
)
def test_declined(
    past: list[Step],
    command: Command,
    rejection: Rejection,
    event: DebitDeclined | VoidDeclined,
) -> None:
    Given(*past).when(command).then_declined(rejection, event)


@pytest.mark.parametrize("command", [capture(of="never placed"), void(of="never placed")])
def test_a_hold_that_is_not_there(command: Command) -> None:
    Given(*HELD_6).when(command).then_declined(HoldUnknown())


def test_a_hold_that_was_declined_can_never_be_captured() -> None:
    given = Given(OPENED, credit(1))
    given.when(hold(5))
    given.when(credit(10))
    given.when(capture()).then_declined(HoldUnknown())


def test_of_captures_and_voids_one_wins() -> None:
    given = Given(*HELD_6)
    answers = [given.when(command).decision for command in (capture(), void(), capture())]
    assert [answer.rejection for answer in answers] == [None, OVER, OVER]


def test_a_wallet_has_so_many_open_holds_and_no_more() -> None:
    steps = [hold(1, reference=f"h{number}") for number in range(MAX_OPEN_HOLDS)]
    given = Given(OPENED, credit(MAX_OPEN_HOLDS + 5), *steps)
    given.when(hold(1)).then_declined(
        TooManyHolds(limit=MAX_OPEN_HOLDS),
        DebitDeclined(
            code="too_many_holds",
            kind="hold",
            amount=1,
            balance=MAX_OPEN_HOLDS + 5,
            available=5,
            currency="GHS",
            reference="h",
            description="",
        ),
    )
    given.when(void("h0"))
    given.when(hold(1)).then_kinds(HoldPlaced)


def test_open_holds_set_aside_parts_of_so_many_lots_and_no_more() -> None:
    given = Given(OPENED, *many_held_lots(), credit(2, JUNE), credit(1))
    holds = given.wallets[WALLET_ID].holds.values()
    assert sum(len(each.allocated) for each in holds) == MAX_HELD_LOTS
    refused = given.when(hold(1)).decision.rejection
    assert refused == TooManyHeldLots(limit=MAX_HELD_LOTS)
    given.when(debit(2))
    given.when(hold(1, reference="of no lot")).then_kinds(HoldPlaced)
    given.when(void("h0"))
    given.when(hold(1, reference="of a lot")).then_kinds(HoldPlaced)
