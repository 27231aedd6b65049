"""Expiring money: which lot is spent first, when one lapses, and that no lapsed one is spent."""

from datetime import timedelta

import pytest

from ledger.domain.wallet.state import MAX_OPEN_LOTS
from schemas.commands import Command
from schemas.events import (
    CreditDeclined,
    CreditLapsed,
    DebitDeclined,
    Expiring,
    HoldReleased,
    LotAmount,
    WalletCredited,
    WalletDebited,
    WalletEvent,
)
from schemas.rejections import (
    ExpiryNotAhead,
    HoldUnknown,
    InsufficientFunds,
    Rejection,
    TooManyLots,
)
from tests.specs.decider import NEVER, OPENED, START, WALLET_ID, Amounts, Given, Step
from tests.specs.wallet_commands import (
    AUGUST,
    EXPIRE_DUE,
    JULY,
    JUNE,
    capture,
    credit,
    debit,
    freeze,
    hold,
    reverse,
    void,
)

JUST_BEFORE_JUNE = JUNE - timedelta(microseconds=1)


def test_an_expiring_credit_is_a_lot_and_the_event_says_what_lapses_next() -> None:
    Given(OPENED, credit(5)).when(credit(10, JUNE)).then(
        WalletCredited(
            amount=10,
            balance_before=5,
            balance_after=15,
            available_after=15,
            expiring_after=Expiring(amount=10, next_at=JUNE, next_amount=10),
            currency="GHS",
            reference="r",
            description="",
            expires_at=JUNE,
        )
    )


def test_lots_with_one_moment_merge() -> None:
    when = Given(OPENED, credit(10, JUNE), credit(1, JULY)).when(credit(5, JUNE))
    when.then_has(booked=16, lots={JUNE: 15, JULY: 1})


def test_a_debit_names_the_lots_that_it_spent() -> None:
    given = Given(OPENED, credit(5), credit(10, JULY), credit(10, JUNE))
    given.when(debit(22)).then(
        WalletDebited(
            amount=22,
            balance_before=25,
            balance_after=3,
            available_after=3,
            currency="GHS",
            reference="r",
            description="",
            spent=(
                LotAmount(amount=10, expires_at=JUNE),
                LotAmount(amount=10, expires_at=JULY),
                LotAmount(amount=2),
            ),
        )
    )


SPENT: list[tuple[int, Amounts]] = [
    (1, {JUNE: 9, JULY: 10, NEVER: 5}),
    (10, {JULY: 10, NEVER: 5}),
    (11, {JULY: 9, NEVER: 5}),
    (20, {NEVER: 5}),
    (24, {NEVER: 1}),
    (25, {}),
]


@pytest.mark.parametrize(("amount", "left"), SPENT)
def test_the_soonest_lot_is_spent_first_and_what_never_lapses_last(
    amount: int, left: Amounts
) -> None:
    given = Given(OPENED, credit(5), credit(10, JULY), credit(10, JUNE))
    given.when(debit(amount)).then_has(booked=25 - amount, lots=left)


def test_what_is_due_lapses_before_the_command_is_decided() -> None:
    given = Given(OPENED, credit(10, JUNE), credit(4, JULY), JUNE)
    given.when(credit(1)).then(
        CreditLapsed(
            amount=10,
            balance_before=14,
            balance_after=4,
            available_after=4,
            expiring_after=Expiring(amount=4, next_at=JULY, next_amount=4),
            currency="GHS",
            expires_at=JUNE,
        ),
        WalletCredited(
            amount=1,
            balance_before=4,
            balance_after=5,
            available_after=5,
            expiring_after=Expiring(amount=4, next_at=JULY, next_amount=4),
            currency="GHS",
            reference="r",
            description="",
        ),
    )


def test_a_debit_just_before_the_moment_can_spend_the_lot() -> None:
    given = Given(OPENED, credit(10, JUNE), JUST_BEFORE_JUNE)
    given.when(debit(10)).then_kinds(WalletDebited).then_has(booked=0, lots={})


@pytest.mark.parametrize("command", [debit(10), hold(10)], ids=["debit", "hold"])
def test_nothing_at_the_very_moment_can_spend_the_lot(command: Command) -> None:
    """Nor later, whether or not a sweep has come by."""
    for now in (JUNE, JULY):
        when = Given(OPENED, credit(10, JUNE)).when(command, now=now)
        assert when.decision.rejection == InsufficientFunds(amount=10, available=0)
        assert [type(event) for event in when.decision.events] == [CreditLapsed, DebitDeclined]


def test_every_lot_that_is_due_lapses_by_itself_soonest_first() -> None:
    given = Given(OPENED, credit(1, AUGUST), credit(2, JULY), credit(3, JUNE))
    when = given.when(EXPIRE_DUE, now=JULY).then_kinds(CreditLapsed, CreditLapsed)
    lapsed = [event for event in when.decision.events if isinstance(event, CreditLapsed)]
    assert [(event.amount, event.expires_at) for event in lapsed] == [(3, JUNE), (2, JULY)]
    when.then_has(booked=1, lots={AUGUST: 1})


def test_a_lot_lapses_once() -> None:
    given = Given(OPENED, credit(10, JUNE), JUNE, EXPIRE_DUE)
    given.when(EXPIRE_DUE).then()
    given.when(EXPIRE_DUE, now=AUGUST).then()


def test_a_spent_lot_does_not_lapse() -> None:
    given = Given(OPENED, credit(10, JUNE), debit(10))
    assert given.wallets[WALLET_ID].next_due is None
    given.when(EXPIRE_DUE, now=JULY).then()


def test_a_frozen_wallets_lots_lapse_all_the_same() -> None:
    given = Given(OPENED, credit(10, JUNE), freeze("all"))
    given.when(EXPIRE_DUE, now=JUNE).then_kinds(CreditLapsed)


def test_what_changes_nothing_still_lets_lapse_what_is_due() -> None:
    given = Given(OPENED, credit(10, JUNE), freeze())
    given.when(freeze(), now=JUNE).then_kinds(CreditLapsed)


def test_a_sweep_comes_to_the_same_whenever_it_comes() -> None:
    """Of two holds that end, the one that ended first fills the debt, whichever is older."""
    past: list[Step] = [
        OPENED,
        credit(5, JUNE, reference="c1"),
        credit(5, AUGUST, reference="c2"),
        hold(5, JULY, reference="h1"),
        hold(5, JUNE, reference="h2"),
        credit(5, reference="c3"),
        debit(5),
        reverse("c3", allow_negative=True),
    ]
    swept = Given(*past)
    swept.when(EXPIRE_DUE, now=JUNE)
    swept.when(EXPIRE_DUE, now=JULY).then_has(booked=0, lots={})
    late = Given(*past).when(EXPIRE_DUE, now=JULY)
    late.then_kinds(HoldReleased, HoldReleased, CreditLapsed)
    late.then_has(booked=0, lots={})


DECLINED: list[tuple[str, Command, Rejection]] = [
    ("a credit that ends now", credit(1, START), ExpiryNotAhead()),
    ("a credit that ended", credit(1, START - timedelta(seconds=1)), ExpiryNotAhead()),
    ("a hold that ends now", hold(1, START), ExpiryNotAhead()),
    ("a hold that is not there", capture(of="?"), HoldUnknown()),
]


@pytest.mark.parametrize(
    ("command", "rejection"), [row[1:] for row in DECLINED], ids=[row[0] for row in DECLINED]
)
def test_refused_without_an_event(command: Command, rejection: Rejection) -> None:
    Given(OPENED, credit(5)).when(command).then_declined(rejection)


def test_what_is_refused_without_an_event_lets_nothing_lapse() -> None:
    given = Given(OPENED, credit(5, JUNE), JUNE)
    given.when(void("?")).then_declined(HoldUnknown())
    given.when(EXPIRE_DUE).then_kinds(CreditLapsed)


def with_lots(count: int) -> Given:
    """A wallet with so many lots, of one second each from June on."""
    steps = [credit(1, JUNE + timedelta(seconds=number)) for number in range(count)]
    return Given(OPENED, *steps)


def test_a_wallet_keeps_so_many_moments_apart_and_no_more() -> None:
    given = with_lots(MAX_OPEN_LOTS)
    given.when(credit(1, AUGUST)).then_declined(
        TooManyLots(limit=MAX_OPEN_LOTS),
        CreditDeclined(
            code="too_many_lots",
            amount=1,
            balance=MAX_OPEN_LOTS,
            available=MAX_OPEN_LOTS,
            currency="GHS",
            reference="r",
            description="",
        ),
    )
    given.when(credit(1, JUNE)).then_kinds(WalletCredited)
    given.when(credit(1)).then_kinds(WalletCredited)
    given.when(debit(2)).then_kinds(WalletDebited)
    given.when(credit(1, AUGUST)).then_kinds(WalletCredited)


def test_lots_in_holds_count_since_they_may_come_back() -> None:
    given = with_lots(MAX_OPEN_LOTS)
    given.when(hold(1)).then_has(
        booked=MAX_OPEN_LOTS,
        held=1,
        lots={JUNE + timedelta(seconds=number): 1 for number in range(1, MAX_OPEN_LOTS)},
    )
    refused = given.when(credit(1, AUGUST)).decision.rejection
    assert refused == TooManyLots(limit=MAX_OPEN_LOTS)
    given.when(void()).then_kinds(HoldReleased)


def test_what_never_lapses_is_not_counted_where_it_is_held() -> None:
    """Of the hold a part never lapses; it is the held lot of June that counts, and no more."""
    later = [AUGUST + timedelta(seconds=number) for number in range(MAX_OPEN_LOTS - 2)]
    held: list[Step] = [credit(5), credit(1, JUNE), hold(3)]
    given = Given(OPENED, *held, *(credit(1, each) for each in later))
    assert given.when(credit(1, JULY)).decision.rejection is None
    refused = given.when(credit(1, AUGUST - timedelta(seconds=1))).decision.rejection
    assert refused == TooManyLots(limit=MAX_OPEN_LOTS)


LAPSES_WITH: list[tuple[str, Command, list[type[WalletEvent]]]] = [
    ("credit", credit(1), [CreditLapsed, WalletCredited]),
    ("debit", debit(1), [CreditLapsed, WalletDebited]),
    ("expire due", EXPIRE_DUE, [CreditLapsed]),
]


@pytest.mark.parametrize(
    ("command", "kinds"), [row[1:] for row in LAPSES_WITH], ids=[row[0] for row in LAPSES_WITH]
)
def test_every_command_lets_lapse_first(command: Command, kinds: list[type[WalletEvent]]) -> None:
    given = Given(OPENED, credit(10, JUNE), credit(1))
    given.when(command, now=JUNE).then_kinds(*kinds)
