"""Reversals: an opposite entry, never more in total than the original, linked to it."""

import pytest

from ledger.domain.wallet.state import MAX_OPEN_LOTS
from schemas.commands import ReverseTransaction
from schemas.events import (
    CreditDeclined,
    CreditLapsed,
    CreditReversed,
    DebitDeclined,
    DebitReversed,
    LotAmount,
    WalletClosed,
)
from schemas.identifiers import transfer_id
from schemas.money import MAX_AMOUNT_MINOR
from schemas.rejections import (
    BalanceLimitExceeded,
    InsufficientFunds,
    NotReversible,
    Rejection,
    ReversalExceedsTransaction,
    TooManyLots,
)
from schemas.rejections import WalletClosed as IsClosed
from schemas.rejections import WalletFrozen as IsFrozen
from tests.specs.decider import (
    NEVER,
    OPENED,
    OTHER_ID,
    OTHER_OPENED,
    WALLET_ID,
    Amounts,
    Given,
    Step,
    id_named,
    received_named,
    transaction_at,
    transaction_named,
)
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
    freeze,
    hold,
    reverse,
    transfer,
)

SPENT_12: list[Step] = [OPENED, credit(10, JUNE), credit(5), debit(12, "d")]


def test_a_reversed_debit_says_what_it_undoes_and_how_much_of_it() -> None:
    Given(*SPENT_12).when(reverse("d", 1)).then(
        DebitReversed(
            transaction_id=transaction_named("d"),
            reversed_after=1,
            amount=1,
            balance_before=3,
            balance_after=4,
            available_after=4,
            currency="GHS",
            reference="back",
            description="",
        )
    )


def test_without_an_amount_all_that_is_left_goes_back() -> None:
    given = Given(*SPENT_12)
    given.when(reverse("d", 5)).then_has(booked=8, lots={JUNE: 3, NEVER: 5})
    when = given.when(reverse("d")).then_has(booked=15, lots={JUNE: 10, NEVER: 5})
    assert isinstance(when.decision.answer, DebitReversed)
    assert (when.decision.answer.amount, when.decision.answer.reversed_after) == (7, 12)


RETURNED: list[tuple[int, Amounts]] = [
    (2, {NEVER: 5}),
    (3, {JUNE: 1, NEVER: 5}),
    (12, {JUNE: 10, NEVER: 5}),
]


@pytest.mark.parametrize(("amount", "lots"), RETURNED)
def test_a_reversed_debit_goes_back_to_its_lots_last_spent_first(
    amount: int, lots: Amounts
) -> None:
    Given(*SPENT_12).when(reverse("d", amount)).then_has(booked=3 + amount, lots=lots)


def test_what_goes_back_to_a_lot_that_is_due_lapses_at_once() -> None:
    when = Given(*SPENT_12, JUNE).when(reverse("d"))
    when.then_kinds(DebitReversed, CreditLapsed).then_has(booked=5, lots={NEVER: 5})
    assert isinstance(when.decision.answer, DebitReversed)
    assert when.decision.answer.returned == (
        LotAmount(amount=10, expires_at=JUNE),
        LotAmount(amount=2),
    )


def test_a_capture_can_be_reversed_and_goes_back_to_the_holds_lots() -> None:
    given = Given(OPENED, credit(10, JUNE), hold(8), capture(6))
    given.when(reverse("captured", 4)).then_has(booked=8, held=2, lots={JUNE: 6})


SWEPT: list[Step] = [
    OPENED,
    credit(10, JULY, "c"),
    credit(4, JUNE, "sooner"),
    credit(3, AUGUST, "later"),
    credit(2, reference="never"),
]
TAKEN: list[tuple[str, int, Amounts]] = [
    ("all of its own lot", 10, {JUNE: 4, AUGUST: 3, NEVER: 2}),
    ("part of it", 7, {JUNE: 4, JULY: 3, AUGUST: 3, NEVER: 2}),
]


@pytest.mark.parametrize(
    ("amount", "lots"), [row[1:] for row in TAKEN], ids=[row[0] for row in TAKEN]
)
def test_a_reversed_credit_takes_its_own_lot(amount: int, lots: Amounts) -> None:
    Given(*SWEPT).when(reverse("c", amount)).then_has(booked=19 - amount, lots=lots)


AFTER_SPENDING: list[tuple[int, Amounts]] = [
    (4, {AUGUST: 3, NEVER: 2}),
    (5, {AUGUST: 3, NEVER: 1}),
    (6, {AUGUST: 3}),
    (7, {AUGUST: 2}),
    (9, {}),
]


@pytest.mark.parametrize(("amount", "lots"), AFTER_SPENDING)
def test_then_it_takes_what_never_lapses_then_the_soonest(amount: int, lots: Amounts) -> None:
    """The debit has spent the lot of June, and six of the credit's own ten."""
    given = Given(*SWEPT, debit(10))
    given.when(reverse("c", amount)).then_has(booked=9 - amount, lots=lots)


def test_where_all_of_it_lapses_only_lots_are_taken() -> None:
    given = Given(OPENED, credit(10, JULY, "c"), credit(4, AUGUST), debit(10))
    given.when(reverse("c", 3)).then_has(booked=1, lots={AUGUST: 1})


def test_a_reversed_credit_names_the_lots_that_it_took() -> None:
    when = Given(*SWEPT, debit(10)).when(reverse("c", 7))
    answer = when.decision.answer
    assert isinstance(answer, CreditReversed)
    assert answer.spent == (
        LotAmount(amount=4, expires_at=JULY),
        LotAmount(amount=1, expires_at=AUGUST),
        LotAmount(amount=2),
    )


def test_a_credit_whose_lot_has_lapsed_takes_other_money() -> None:
    given = Given(OPENED, credit(10, JUNE, "c"), credit(4, JULY), credit(9), JUNE)
    given.when(reverse("c")).then_kinds(CreditLapsed, CreditReversed)
    given.when(credit(1)).then_has(booked=4, lots={JULY: 3, NEVER: 1})


SENT_12: list[Step] = [OPENED, OTHER_OPENED, credit(10, JUNE), credit(5), transfer(12)]


def test_reversing_a_transfer_reverses_both_legs() -> None:
    when = Given(*SENT_12).when(reverse("t", 5)).then_kinds(DebitReversed)
    when.then_has(booked=8, lots={JUNE: 3, NEVER: 5})
    when.then_has(booked=7, lots={JUNE: 7}, of=OTHER_ID)
    (returned,), (taken,) = when.decision.events, when.decision.others
    assert isinstance(returned, DebitReversed)
    assert isinstance(taken, CreditReversed)
    assert returned.transaction_id == transaction_named("t")
    assert taken.transaction_id == received_named("t")
    assert returned.transfer_id == taken.transfer_id == transfer_id(id_named("t"))
    assert returned.reversed_after == taken.reversed_after == 5


def test_either_leg_can_be_named_and_both_count_together() -> None:
    given = Given(*SENT_12)
    given.when(reverse("t", 5))
    when = given.when(reverse("t", transaction=received_named("t"))).then_kinds(CreditReversed)
    when.then_has(booked=0, lots={})
    when.then_has(booked=15, lots={JUNE: 10, NEVER: 5}, of=WALLET_ID)
    refused = given.when(reverse("t", 1)).decision.rejection
    assert refused == ReversalExceedsTransaction(amount=1, reversible=0)


def test_a_transfer_that_was_spent_goes_back_only_into_a_debt() -> None:
    given = Given(*SENT_12, debit(12, of=OTHER_ID))
    given.when(reverse("t")).then_declined(
        InsufficientFunds(amount=12, available=0, wallet_id=OTHER_ID),
        CreditDeclined(
            code="insufficient_funds",
            kind="reversal",
            amount=12,
            balance=3,
            available=3,
            currency="GHS",
            reference="back",
            description="",
            transaction_id=transaction_named("t"),
            wallet_id=OTHER_ID,
            limit=0,
        ),
    )
    when = given.when(reverse("t", allow_negative=True)).then_kinds(DebitReversed)
    when.then_has(booked=-12, lots={NEVER: -12}, of=OTHER_ID)


def test_what_the_sender_gets_back_lapses_at_once_where_it_is_due() -> None:
    given = Given(*SENT_12, credit(12, of=OTHER_ID))
    when = given.when(reverse("t"), now=JUNE).then_kinds(DebitReversed, CreditLapsed)
    when.then_has(booked=5, lots={NEVER: 5})
    assert [type(event) for event in when.decision.others] == [CreditLapsed, CreditReversed]
    when.then_has(booked=2, lots={NEVER: 2}, of=OTHER_ID)
    named_by_the_receiver = reverse("t", transaction=received_named("t"))
    when = Given(*SENT_12, credit(12, of=OTHER_ID)).when(named_by_the_receiver, now=JUNE)
    assert [type(event) for event in when.decision.others] == [DebitReversed, CreditLapsed]
    when.then_has(booked=5, lots={NEVER: 5}, of=WALLET_ID)


def debit_declined(
    code: str,
    amount: int,
    *,
    limit: int | None = None,
    available: int = 3,
    booked: int | None = None,
) -> DebitDeclined:
    return DebitDeclined(
        code=code,
        kind="reversal",
        amount=amount,
        balance=available if booked is None else booked,
        available=available,
        currency="GHS",
        reference="back",
        description="",
        transaction_id=transaction_named("c"),
        limit=limit,
    )


def credit_declined(
    code: str, amount: int, *, limit: int | None = None, balance: int = 3
) -> CreditDeclined:
    return CreditDeclined(
        code=code,
        kind="reversal",
        amount=amount,
        balance=balance,
        available=balance,
        currency="GHS",
        reference="back",
        description="",
        transaction_id=transaction_named("d"),
        limit=limit,
    )


LEFT_3: list[Step] = [OPENED, credit(10, reference="c"), debit(7, "d")]
CLOSED: list[Step] = [OPENED, credit(7, reference="c"), debit(7, "d"), CLOSE]
FULL = credit(MAX_AMOUNT_MINOR - 3)
DECLINED: list[
    tuple[str, list[Step], ReverseTransaction, Rejection, DebitDeclined | CreditDeclined]
] = [
    ("a debit, more of it than it was", LEFT_3, reverse("d", 8),
     ReversalExceedsTransaction(amount=8, reversible=7),
     credit_declined("reversal_exceeds_transaction", 8, limit=7)),
    ("a debit, once more", [*LEFT_3, reverse("d")], reverse("d"),
     ReversalExceedsTransaction(amount=7, reversible=0),
     credit_declined("reversal_exceeds_transaction", 7, limit=0, balance=10)),
    ("a debit while credits are frozen", [*LEFT_3, freeze("credits")], reverse("d"),
     IsFrozen(), credit_declined("wallet_frozen", 7)),
    ("a debit of a closed wallet", CLOSED, reverse("d"), IsClosed(),
     credit_declined("wallet_closed", 7, balance=0)),
    ("a debit of a full wallet", [*LEFT_3, FULL], reverse("d"),
     BalanceLimitExceeded(amount=7, balance=MAX_AMOUNT_MINOR, limit=MAX_AMOUNT_MINOR),
     credit_declined("balance_limit_exceeded", 7, balance=MAX_AMOUNT_MINOR)),
    ("a credit, more of it than it was", LEFT_3, reverse("c", 11),
     ReversalExceedsTransaction(amount=11, reversible=10),
     debit_declined("reversal_exceeds_transaction", 11, limit=10)),
    ("a credit that was spent", LEFT_3, reverse("c"), InsufficientFunds(amount=10, available=3),
     debit_declined("insufficient_funds", 10)),
    ("a credit that is held", [OPENED, credit(10, reference="c"), hold(4)], reverse("c", 7),
     InsufficientFunds(amount=7, available=6),
     debit_declined("insufficient_funds", 7, available=6, booked=10)),
    ("a credit while debits are frozen", [*LEFT_3, freeze()], reverse("c"),
     IsFrozen(), debit_declined("wallet_frozen", 10)),
    ("a credit of a closed wallet", CLOSED, reverse("c", allow_negative=True), IsClosed(),
     debit_declined("wallet_closed", 7, available=0)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("past", "command", "rejection", "event"),
    [row[1:] for row in DECLINED],
    ids=[row[0] for row in DECLINED],
)
def test_declined(
    past: list[Step],
    command: ReverseTransaction,
    rejection: Rejection,
    event: DebitDeclined | CreditDeclined,
) -> None:
    Given(*past).when(command).then_declined(rejection, event)


LEGS_DECLINED: list[tuple[str, list[Step], str, Rejection]] = [
    ("the sender takes no credits", [freeze("credits")], transaction_named("t"), IsFrozen()),
    ("named by the receiver", [freeze("credits")], received_named("t"),
     IsFrozen(wallet_id=WALLET_ID)),
    ("the receiver gives nothing", [freeze(of=OTHER_ID)], transaction_named("t"),
     IsFrozen(wallet_id=OTHER_ID)),
    ("named by itself", [freeze(of=OTHER_ID)], received_named("t"), IsFrozen()),
    ("the sender is closed", [debit(3), CLOSE], received_named("t"),
     IsClosed(wallet_id=WALLET_ID)),
    ("the receiver is closed", [debit(12, of=OTHER_ID), (OTHER_ID, WalletClosed())],
     transaction_named("t"), IsClosed(wallet_id=OTHER_ID)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("past", "transaction", "rejection"),
    [row[1:] for row in LEGS_DECLINED],
    ids=[row[0] for row in LEGS_DECLINED],
)
def test_reversing_a_transfer_reverses_no_leg_where_one_declines(
    past: list[Step], transaction: str, rejection: Rejection
) -> None:
    given = Given(*SENT_12, *past)
    before = dict(given.wallets)
    refused = given.when(reverse("t", transaction=transaction)).decision
    assert refused.rejection == rejection
    assert refused.others == ()
    (event,) = refused.events
    named_by_the_sender = transaction == transaction_named("t")
    assert isinstance(event, CreditDeclined if named_by_the_sender else DebitDeclined)
    for wallet_id, wallet in before.items():
        assert given.wallets[wallet_id].balance == wallet.balance


NOT_REVERSIBLE: list[tuple[str, list[Step], str]] = [
    ("an expiry", [OPENED, credit(5, JUNE), JUNE, credit(1)], transaction_at(3)),
    ("a reversal of a debit", [*SPENT_12, reverse("d")], transaction_named("back")),
    ("a reversal of a credit", [OPENED, credit(5, reference="c"), reverse("c")],
     transaction_named("back")),
    ("a forfeiture", [OPENED, credit(5), FORFEIT], transaction_at(3)),
    ("what a close has moved", [OPENED, OTHER_OPENED, credit(5), close_into()],
     received_named("CloseWallet")),
    ("a hold", [OPENED, credit(5), hold(3)], transaction_named("h")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("past", "transaction"),
    [row[1:] for row in NOT_REVERSIBLE],
    ids=[row[0] for row in NOT_REVERSIBLE],
)
def test_not_reversible(past: list[Step], transaction: str) -> None:
    given = Given(*past)
    assert transaction.removeprefix("txn_") in given.events
    given.when(reverse("?", transaction=transaction)).then_declined(
        NotReversible(transaction_id=transaction)
    )


def test_a_decline_is_no_transaction_to_be_reversed() -> None:
    given = Given(OPENED)
    given.when(debit(1, "declined"))
    refused = given.when(reverse("declined")).decision.rejection
    assert refused == NotReversible(transaction_id=transaction_named("declined"))


def test_what_goes_back_may_be_of_too_many_moments() -> None:
    moments = [AUGUST.replace(microsecond=number) for number in range(MAX_OPEN_LOTS)]
    given = Given(OPENED, credit(1, JUNE), debit(1, "d"), *(credit(1, each) for each in moments))
    refused = given.when(reverse("d")).decision.rejection
    assert refused == TooManyLots(limit=MAX_OPEN_LOTS)


def test_what_goes_back_to_lapse_at_once_is_not_counted() -> None:
    moments = [AUGUST.replace(microsecond=number) for number in range(MAX_OPEN_LOTS)]
    full: list[Step] = [*(credit(1, each) for each in moments), JUNE]
    given = Given(OPENED, credit(1, JUNE), debit(1, "d"), *full)
    given.when(reverse("d")).then_kinds(DebitReversed, CreditLapsed)
    sent: list[Step] = [OPENED, OTHER_OPENED, credit(1, JUNE), transfer(1, reference="t")]
    given = Given(*sent, credit(1, of=OTHER_ID), *full)
    given.when(reverse("t")).then_kinds(DebitReversed, CreditLapsed)
