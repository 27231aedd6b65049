"""Top-ups: a payment is asked for, and what comes of it: once, late, cancelled or kept outside."""

from datetime import datetime, timedelta

import pytest

from ledger.domain.postings import Posting, postings
from ledger.domain.wallet.state import MAX_PENDING_TOPUPS
from ledger.domain.wallet.topups import TOPUP_LIFETIME
from schemas.commands import Command, CreateTopup
from schemas.events import (
    Expiring,
    TopupCreated,
    TopupDeclined,
    TopupEnded,
    TopupUnapplied,
    WalletClosed,
    WalletCredited,
    WalletToppedUp,
)
from schemas.money import MAX_AMOUNT_MINOR
from schemas.rejections import (
    BalanceLimitExceeded,
    ExpiryNotAhead,
    NotReversible,
    PaymentMismatch,
    Rejection,
    TooManyTopups,
    TopupAlreadyPaid,
    TopupNotPending,
    TopupUnknown,
)
from schemas.rejections import WalletClosed as IsClosed
from schemas.rejections import WalletFrozen as IsFrozen
from tests.specs.decider import (
    NEVER,
    OPENED,
    START,
    WALLET_ID,
    Given,
    Step,
    topup_named,
    transaction_named,
)
from tests.specs.wallet_commands import (
    CLOSE,
    EXPIRE_DUE,
    JULY,
    JUNE,
    SHOP,
    UNFREEZE,
    cancel,
    credit,
    debit,
    freeze,
    pay,
    reverse,
    topup,
)

TOP = topup_named("top")
ASKED_8: list[Step] = [OPENED, credit(2), topup(8)]


def test_a_topup_moves_no_money_and_is_waited_for() -> None:
    given = Given(OPENED, credit(2))
    wallet = given.when(topup(8, JUNE)).then(
        TopupCreated(
            topup_id=TOP,
            amount=8,
            currency="GHS",
            redirect_url=SHOP,
            expires_at=JUNE,
            reference="top",
            description="",
        )
    )
    assert (wallet.balance, wallet.available) == (2, 2)
    assert wallet.topups[TOP].expires_at == wallet.next_due == JUNE


def test_a_topup_without_a_moment_or_a_reference_has_half_an_hour_and_its_own_id() -> None:
    command = CreateTopup(wallet_id=WALLET_ID, amount=8, redirect_url=SHOP)
    created = Given(OPENED).when(command).decision.answer
    assert isinstance(created, TopupCreated)
    assert created.expires_at == START + TOPUP_LIFETIME == START + timedelta(minutes=30)
    assert created.reference == created.topup_id


def test_what_is_asked_for_shows_nothing_of_the_wallet_changed() -> None:
    given = Given(OPENED, JUNE, topup(8, JULY), cancel())
    assert given.wallets[WALLET_ID].changed_at == START


def test_a_payment_comes_in_as_money_that_never_lapses_with_the_topups_words() -> None:
    given = Given(OPENED, credit(3, JULY), topup(8))
    when = given.when(pay(8))
    wallet = when.then(
        WalletToppedUp(
            topup_id=TOP,
            payment_id="paid",
            amount=8,
            balance_before=3,
            balance_after=11,
            available_after=11,
            expiring_after=Expiring(amount=3, next_at=JULY, next_amount=3),
            currency="GHS",
            reference="top",
            description="",
        )
    )
    when.then_has(booked=11, lots={JULY: 3, NEVER: 8})
    assert wallet.topups == {}


def test_one_payment_counts_once_however_often_it_is_told() -> None:
    given = Given(*ASKED_8, pay(8))
    for _ in range(2):
        given.when(pay(8)).then()
        given.when(pay(7)).then()
    assert given.wallets[WALLET_ID].balance == 10


def test_a_payment_that_was_kept_as_unapplied_stays_so() -> None:
    given = Given(*ASKED_8, freeze("credits"))
    assert given.when(pay(8)).decision.rejection == IsFrozen()
    given.when(UNFREEZE)
    given.when(pay(8)).then()
    given.when(pay(8, "another")).then_kinds(WalletToppedUp)


@pytest.mark.parametrize(
    "over",
    [[cancel()], [START + TOPUP_LIFETIME, EXPIRE_DUE]],
    ids=["cancelled", "expired"],
)
def test_a_payment_that_comes_late_is_credited_all_the_same(over: list[Step]) -> None:
    given = Given(*ASKED_8, *over)
    assert given.wallets[WALLET_ID].topups == {}
    given.when(pay(8), now=JULY).then_kinds(WalletToppedUp).then_has(booked=10, lots={NEVER: 10})
    given.when(pay(8, "second")).then_declined(
        TopupAlreadyPaid(topup_id=TOP), unapplied("topup_already_paid", balance=10)
    )


def test_a_topup_that_is_found_due_expires_and_is_paid_in_one_append() -> None:
    when = Given(*ASKED_8).when(pay(8), now=START + TOPUP_LIFETIME)
    when.then_kinds(TopupEnded, WalletToppedUp).then_has(booked=10, lots={NEVER: 10})


def test_a_topup_is_pending_until_just_before_its_moment() -> None:
    given = Given(OPENED, topup(8, JUNE), topup(3, JULY, "later"))
    given.when(EXPIRE_DUE, now=JUNE - timedelta(microseconds=1)).then()
    given.when(cancel(), now=JUNE).then_declined(
        TopupNotPending(topup_id=TOP),
        TopupEnded(topup_id=TOP, cause="expired", amount=8, currency="GHS"),
        TopupDeclined(
            change="cancel",
            code="topup_not_pending",
            amount=8,
            balance=0,
            currency="GHS",
            topup_id=TOP,
        ),
    )
    assert given.wallets[WALLET_ID].next_due == JULY


def test_topups_expire_by_their_moments_whichever_command_comes_first() -> None:
    given = Given(OPENED, topup(8, JULY), topup(3, JUNE, "sooner"))
    when = given.when(credit(1), now=JULY).then_kinds(TopupEnded, TopupEnded, WalletCredited)
    ended = [event for event in when.decision.events if isinstance(event, TopupEnded)]
    assert [event.topup_id for event in ended] == [topup_named("sooner"), TOP]
    assert given.wallets[WALLET_ID].next_due is None


def test_a_cancel_ends_it() -> None:
    Given(*ASKED_8).when(cancel()).then(
        TopupEnded(topup_id=TOP, cause="cancelled", amount=8, currency="GHS")
    )


def test_a_close_ends_what_is_pending() -> None:
    given = Given(OPENED, topup(8), topup(3, reference="other"))
    when = given.when(CLOSE).then_kinds(TopupEnded, TopupEnded, WalletClosed)
    ended = [event for event in when.decision.events if isinstance(event, TopupEnded)]
    assert {event.cause for event in ended} == {"wallet_closed"}
    assert given.wallets[WALLET_ID].topups == {}


def test_a_close_that_is_declined_ends_nothing() -> None:
    given = Given(*ASKED_8)
    assert given.when(CLOSE).decision.rejection is not None
    assert TOP in given.wallets[WALLET_ID].topups


def unapplied(
    code: str,
    *,
    amount: int = 8,
    currency: str = "GHS",
    asked_currency: str | None = None,
    balance: int = 2,
    payment: str = "second",
    limit: int | None = None,
) -> TopupUnapplied:
    return TopupUnapplied(
        code=code,
        amount=amount,
        balance=balance,
        available=balance,
        currency=currency,
        reference="top",
        description="",
        limit=limit,
        topup_id=TOP,
        payment_id=payment,
        asked_currency=asked_currency,
    )


CLOSED: list[Step] = [OPENED, topup(8), CLOSE]
FULL: list[Step] = [*ASKED_8, credit(MAX_AMOUNT_MINOR - 2, reference="full")]
UNAPPLIED: list[tuple[str, list[Step], Command, Rejection, TopupUnapplied]] = [
    ("closed", CLOSED, pay(7), IsClosed(),
     unapplied("wallet_closed", amount=7, balance=0, payment="paid")),
    ("a second payment", [*ASKED_8, pay(8), freeze("all")], pay(7, "second"),
     TopupAlreadyPaid(topup_id=TOP), unapplied("topup_already_paid", amount=7, balance=10)),
    ("too little", [*ASKED_8, freeze("all")], pay(7), PaymentMismatch(amount=8, currency="GHS"),
     unapplied("payment_mismatch", amount=7, payment="paid", limit=8)),
    ("too much", ASKED_8, pay(9), PaymentMismatch(amount=8, currency="GHS"),
     unapplied("payment_mismatch", amount=9, payment="paid", limit=8)),
    ("another currency", ASKED_8, pay(8, currency="NGN"),
     PaymentMismatch(amount=8, currency="GHS"),
     unapplied("payment_mismatch", currency="NGN", asked_currency="GHS", payment="paid", limit=8)),
    ("credits frozen", [*ASKED_8, freeze("credits")], pay(8), IsFrozen(),
     unapplied("wallet_frozen", payment="paid")),
    ("too large a balance", FULL, pay(8),
     BalanceLimitExceeded(amount=8, balance=MAX_AMOUNT_MINOR, limit=MAX_AMOUNT_MINOR),
     unapplied("balance_limit_exceeded", balance=MAX_AMOUNT_MINOR, payment="paid")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("past", "command", "rejection", "event"),
    [row[1:] for row in UNAPPLIED],
    ids=[row[0] for row in UNAPPLIED],
)
def test_what_the_wallet_cannot_take_is_kept_as_unapplied(
    past: list[Step], command: Command, rejection: Rejection, event: TopupUnapplied
) -> None:
    given = Given(*past)
    before = given.wallets[WALLET_ID]
    given.when(command).then_declined(rejection, event)
    after = given.wallets[WALLET_ID]
    assert (after.balance, after.available) == (before.balance, before.available)


def test_a_payment_that_was_kept_ends_the_waiting_but_not_the_hope() -> None:
    given = Given(*ASKED_8)
    given.when(pay(7, "too little"))
    assert TOP not in given.wallets[WALLET_ID].topups
    given.when(pay(8)).then_kinds(WalletToppedUp)


def declined(code: str, balance: int = 0, reference: str | None = "top") -> TopupDeclined:
    return TopupDeclined(
        change="create",
        code=code,
        amount=8,
        balance=balance,
        currency="GHS",
        reference=reference,
    )


FROZEN_AND_MANY: list[Step] = [
    OPENED,
    *(topup(1, reference=f"t{number}") for number in range(MAX_PENDING_TOPUPS)),
    freeze("credits"),
]
DECLINED: list[tuple[str, list[Step], Rejection, TopupDeclined]] = [
    ("closed", [OPENED, CLOSE], IsClosed(), declined("wallet_closed")),
    ("credits frozen, and too many", FROZEN_AND_MANY, IsFrozen(), declined("wallet_frozen")),
    ("too many", FROZEN_AND_MANY[:-1], TooManyTopups(limit=MAX_PENDING_TOPUPS),
     declined("too_many_topups")),
    ("too large a balance", [OPENED, credit(MAX_AMOUNT_MINOR - 7)],
     BalanceLimitExceeded(amount=8, balance=MAX_AMOUNT_MINOR - 7, limit=MAX_AMOUNT_MINOR),
     declined("balance_limit_exceeded", MAX_AMOUNT_MINOR - 7)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("past", "rejection", "event"),
    [row[1:] for row in DECLINED],
    ids=[row[0] for row in DECLINED],
)
def test_a_topup_is_declined(past: list[Step], rejection: Rejection, event: TopupDeclined) -> None:
    Given(*past).when(topup(8)).then_declined(rejection, event)


def test_one_that_ends_makes_room_for_another() -> None:
    given = Given(*FROZEN_AND_MANY[:-1], cancel("t0"))
    given.when(topup(8)).then_kinds(TopupCreated)


def test_a_debit_freeze_is_in_nobodys_way() -> None:
    given = Given(OPENED, freeze("debits"), topup(8))
    given.when(pay(8)).then_kinds(WalletToppedUp)


@pytest.mark.parametrize("moment", [START, START - timedelta(days=1)])
def test_a_topup_that_would_have_ended_before_it_began_leaves_no_trace(moment: datetime) -> None:
    Given(OPENED).when(topup(8, moment)).then_declined(ExpiryNotAhead())


@pytest.mark.parametrize("command", [pay(8, of="r"), cancel("r"), pay(8, of="never asked")])
def test_a_topup_that_is_not_there(command: Command) -> None:
    Given(OPENED, credit(8, reference="r")).when(command).then_declined(TopupUnknown())


def test_what_was_declined_can_never_be_paid() -> None:
    given = Given(OPENED, freeze("all"))
    given.when(topup(8))
    given.when(UNFREEZE)
    given.when(pay(8)).then_declined(TopupUnknown())


def test_neither_a_payment_nor_one_that_was_kept_is_reversible() -> None:
    given = Given(*ASKED_8, pay(8))
    given.when(pay(8, "second"))
    for payment in ("paid", "second"):
        refusal = NotReversible(transaction_id=transaction_named(payment))
        given.when(reverse(payment)).then_declined(refusal)


def test_a_payment_fills_a_debt_first() -> None:
    given = Given(OPENED, credit(5, reference="c"), topup(8), debit(5))
    given.when(reverse("c", allow_negative=True))
    given.when(pay(8)).then_kinds(WalletToppedUp).then_has(booked=3, lots={NEVER: 3})


def test_the_books_say_where_the_money_of_a_payment_is() -> None:
    given = Given(*ASKED_8)
    applied = given.when(pay(8)).decision.answer
    kept = given.when(pay(5, "second", currency="NGN")).decision.answer
    assert applied is not None
    assert kept is not None
    assert postings(applied) == (
        Posting(account="provider_clearing", amount=8, currency="GHS"),
        Posting(account="customer_wallet", amount=-8, currency="GHS"),
    )
    assert postings(kept) == (
        Posting(account="provider_clearing", amount=5, currency="NGN"),
        Posting(account="unapplied_payments", amount=-5, currency="NGN"),
    )
