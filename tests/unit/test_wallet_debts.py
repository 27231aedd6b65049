"""Debts: what a reversal takes beyond what is there, and what comes in fills first."""

from datetime import timedelta

from ledger.domain.wallet.state import MAX_OPEN_LOTS
from schemas.events import ChangeDeclined, DebitDeclined
from schemas.money import MAX_AMOUNT_MINOR
from schemas.rejections import (
    BalanceLimitExceeded,
    InsufficientFunds,
    TooManyLots,
    WalletNotEmpty,
)
from tests.specs.decider import NEVER, OPENED, OTHER_ID, OTHER_OPENED, WALLET_ID, Given, Step
from tests.specs.wallet_commands import (
    AUGUST,
    CLOSE,
    FORFEIT,
    JULY,
    JUNE,
    capture,
    close_into,
    credit,
    debit,
    hold,
    reverse,
    transfer,
)

IN_DEBT: list[Step] = [
    OPENED,
    credit(10, reference="c"),
    debit(7, "d"),
    reverse("c", allow_negative=True),
]


def test_a_debt_takes_every_lot_and_the_rest_below_zero() -> None:
    given = Given(OPENED, credit(10, JUNE, "c"), credit(4, JULY), debit(12))
    given.when(reverse("c", allow_negative=True)).then_has(booked=-8, lots={NEVER: -8})


def test_the_smallest_debt_keeps_a_wallet_open() -> None:
    """Neither the merchant nor another customer takes it over."""
    given = Given(OPENED, OTHER_OPENED, credit(1, reference="c"), debit(1))
    given.when(reverse("c", allow_negative=True)).then_has(booked=-1, lots={NEVER: -1})
    for command in (CLOSE, FORFEIT, close_into()):
        assert given.when(command).decision.rejection == WalletNotEmpty(balance=-1)


def test_a_debt_is_filled_by_what_comes_in_before_anything_is_a_lot() -> None:
    given = Given(*IN_DEBT)
    given.when(credit(4, JUNE)).then_has(booked=-3, lots={NEVER: -3})
    given.when(credit(4, JULY)).then_has(booked=1, lots={JULY: 1})
    given.when(credit(4, JUNE)).then_has(booked=5, lots={JUNE: 4, JULY: 1})


def test_a_debt_is_filled_by_what_goes_back_and_by_what_is_received() -> None:
    given = Given(*IN_DEBT, OTHER_OPENED, credit(9, JUNE, of=OTHER_ID))
    given.when(reverse("d", 2)).then_has(booked=-5, lots={NEVER: -5})
    there = transfer(9, sender=OTHER_ID, receiver=WALLET_ID)
    given.when(there).then_has(booked=4, lots={JUNE: 4}, of=WALLET_ID)


def test_a_debt_is_filled_by_what_a_hold_frees() -> None:
    given = Given(OPENED, credit(10, JUNE, "c"), hold(9), reverse("c", allow_negative=True))
    assert given.wallets[WALLET_ID].available == -9
    given.when(capture(2, final=True)).then_has(booked=-2, lots={NEVER: -2})


def test_an_indebted_wallet_spends_nothing_and_is_not_closed() -> None:
    given = Given(*IN_DEBT)
    refused = given.when(debit(1)).decision.rejection
    assert refused == InsufficientFunds(amount=1, available=-7)
    for command in (CLOSE, FORFEIT, close_into()):
        given.when(command).then_declined(
            WalletNotEmpty(balance=-7),
            ChangeDeclined(change="close", code="wallet_not_empty", balance=-7),
        )


def test_a_debt_has_a_limit_too() -> None:
    most: list[Step] = [credit(MAX_AMOUNT_MINOR, reference="c1"), debit(MAX_AMOUNT_MINOR)]
    more: list[Step] = [credit(MAX_AMOUNT_MINOR, reference="c2"), debit(MAX_AMOUNT_MINOR)]
    given = Given(OPENED, *most, *more, reverse("c1", allow_negative=True))
    refused = given.when(reverse("c2", 1, allow_negative=True)).decision
    assert refused.rejection == BalanceLimitExceeded(
        amount=1, balance=-MAX_AMOUNT_MINOR, limit=MAX_AMOUNT_MINOR
    )
    assert [type(event) for event in refused.events] == [DebitDeclined]


def test_what_fills_a_debt_is_no_lot_and_is_not_counted() -> None:
    moments = [AUGUST.replace(microsecond=number) for number in range(MAX_OPEN_LOTS)]
    held: list[Step] = [*(credit(1, each) for each in moments), hold(MAX_OPEN_LOTS)]
    owing = reverse("c", allow_negative=True)
    given = Given(OPENED, credit(10, reference="c"), debit(10), *held, owing)
    given.when(credit(4, JUNE)).then_has(booked=994, lots={NEVER: -6}, held=1_000)
    refused = given.when(credit(7, JUNE)).decision.rejection
    assert refused == TooManyLots(limit=MAX_OPEN_LOTS)


def test_a_debt_is_filled_by_what_is_due_before_lots_are_counted() -> None:
    """Else a wallet at its limit would keep one moment too many."""
    moments = [JULY + timedelta(seconds=number) for number in range(MAX_OPEN_LOTS)]
    given = Given(
        OPENED, credit(10, JUNE), credit(5, AUGUST), debit(15, "back to two"),
        credit(10, reference="c"), debit(10),
        *[credit(1, moment) for moment in moments],
        hold(MAX_OPEN_LOTS), reverse("c", allow_negative=True),
    )  # fmt: skip
    assert given.wallets[WALLET_ID].available == -10
    given.now = JUNE
    refused = given.when(reverse("back to two")).decision.rejection
    assert refused == TooManyLots(limit=MAX_OPEN_LOTS)
