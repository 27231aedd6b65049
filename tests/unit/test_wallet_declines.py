"""Declines: the event of a refusal says all of it, also where it is another wallet's."""

import pytest

from ledger.command_handling.case import as_it_stands
from ledger.command_handling.results import Declined, rejection_of
from ledger.domain.wallet.state import MAX_OPEN_LOTS
from schemas.commands import Command
from schemas.events import ChangeDeclined, CreditDeclined, DebitDeclined, TopupUnapplied
from schemas.money import MAX_AMOUNT_MINOR
from schemas.rejections import (
    BalanceLimitExceeded,
    InsufficientFunds,
    Rejection,
    TierLimitExceeded,
    TooManyLots,
)
from tests.specs.decider import (
    OPENED,
    OTHER_ID,
    OTHER_OPENED,
    WALLET_ID,
    Given,
    Step,
    received_named,
)
from tests.specs.known_customers import KNOWN, GivenKnown, raise_tier
from tests.specs.wallet_commands import (
    AUGUST,
    CLOSE,
    JULY,
    JUNE,
    capture,
    close_into,
    credit,
    debit,
    freeze,
    hold,
    pay,
    reverse,
    topup,
    transfer,
    void,
)

KNOWN_OTHER = (OTHER_ID, KNOWN)
"""Tier one: 300 at most, 100 at once."""
HALF = MAX_AMOUNT_MINOR // 2 + 100
FULL_OTHER: list[Step] = [OTHER_OPENED, credit(MAX_AMOUNT_MINOR, of=OTHER_ID)]

CLOSES: list[tuple[str, list[Step], Rejection]] = [
    ("too much at once", [KNOWN_OTHER, credit(110)],
     TierLimitExceeded(limit_name="largest_credit", limit=100, amount=110, tier="TIER_ONE",
                       wallet_id=OTHER_ID)),
    ("too much in all", [KNOWN_OTHER, *[credit(100, of=OTHER_ID)] * 3, credit(1)],
     TierLimitExceeded(limit_name="largest_balance", limit=300, amount=1, tier="TIER_ONE",
                       wallet_id=OTHER_ID)),
    ("more than a wallet holds", [*FULL_OTHER, credit(7)],
     BalanceLimitExceeded(amount=7, balance=MAX_AMOUNT_MINOR, limit=MAX_AMOUNT_MINOR,
                          wallet_id=OTHER_ID)),
    ("more than a wallet holds, where each has as much",
     [OTHER_OPENED, credit(HALF, of=OTHER_ID), credit(HALF)],
     BalanceLimitExceeded(amount=HALF, balance=HALF, limit=MAX_AMOUNT_MINOR,
                          wallet_id=OTHER_ID)),
    ("more than a wallet holds, where the other has as much as is held and left",
     [OTHER_OPENED, credit(HALF + 5, of=OTHER_ID), credit(HALF)],
     BalanceLimitExceeded(amount=HALF, balance=HALF + 5, limit=MAX_AMOUNT_MINOR,
                          wallet_id=OTHER_ID)),
]  # fmt: skip


@pytest.mark.parametrize("held", [False, True], ids=["nothing held", "held money is due"])
@pytest.mark.parametrize(
    ("past", "rejection"), [row[1:] for row in CLOSES], ids=[row[0] for row in CLOSES]
)
def test_a_close_that_is_declined_says_what_it_would_have_moved(
    past: list[Step], rejection: Rejection, *, held: bool
) -> None:
    """What is held of a lot that is due by then would have lapsed, not moved."""
    due: list[Step] = [credit(5, JUNE), hold(5)] if held else []
    given = GivenKnown(OPENED, *due, *past)
    before = given.wallets[WALLET_ID]
    booked = before.balance
    decision = given.when(close_into(), now=JULY).decision
    assert decision.rejection == rejection
    assert isinstance(decision.answer, ChangeDeclined)
    assert decision.answer.balance == booked
    assert rejection_of(decision.answer) == rejection
    assert as_it_stands(decision.answer, before) == decision.answer
    undone = as_it_stands(decision.answer, GivenKnown(OPENED).wallets[WALLET_ID])
    assert isinstance(undone, ChangeDeclined)
    assert rejection_of(undone) == rejection


SPENT: list[Step] = [OPENED, OTHER_OPENED, credit(100), transfer(60), debit(60, of=OTHER_ID)]
MANY: list[Step] = [
    credit(1, AUGUST.replace(microsecond=number), of=OTHER_ID) for number in range(MAX_OPEN_LOTS)
]
SENT_BACK: list[Step] = [OTHER_OPENED, credit(9), transfer(9), credit(MAX_AMOUNT_MINOR)]
OTHERS: list[tuple[str, list[Step], Command, Rejection]] = [
    ("a transfer to a full wallet", [OPENED, credit(1), *FULL_OTHER], transfer(1),
     BalanceLimitExceeded(amount=1, balance=MAX_AMOUNT_MINOR, limit=MAX_AMOUNT_MINOR,
                          wallet_id=OTHER_ID)),
    ("a transfer to one with as many lots as may be",
     [OPENED, OTHER_OPENED, credit(1, JUNE), *MANY], transfer(1),
     TooManyLots(limit=MAX_OPEN_LOTS, wallet_id=OTHER_ID)),
    ("a close into one with as many lots as may be",
     [OPENED, OTHER_OPENED, credit(1, JUNE), *MANY], close_into(),
     TooManyLots(limit=MAX_OPEN_LOTS, wallet_id=OTHER_ID)),
    ("a reversal of a transfer that was spent", SPENT, reverse("t"),
     InsufficientFunds(amount=60, available=0, wallet_id=OTHER_ID)),
    ("a reversal by the leg of a sender who is full now", [OPENED, *SENT_BACK],
     reverse("t", transaction=received_named("t")),
     BalanceLimitExceeded(amount=9, balance=MAX_AMOUNT_MINOR, limit=MAX_AMOUNT_MINOR,
                          wallet_id=WALLET_ID)),
    ("a reversal by the leg of the wallet that is the reason", SPENT,
     reverse("t", transaction=received_named("t")), InsufficientFunds(amount=60, available=0)),
    ("a transfer of more than there is", [OPENED, OTHER_OPENED], transfer(1),
     InsufficientFunds(amount=1, available=0)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("past", "command", "rejection"), [row[1:] for row in OTHERS], ids=[row[0] for row in OTHERS]
)
def test_a_refusal_names_the_other_wallet_where_that_is_the_reason(
    past: list[Step], command: Command, rejection: Rejection
) -> None:
    """And so does a replay, which reads it from the event."""
    decision = Given(*past).when(command).decision
    assert decision.rejection == rejection
    assert isinstance(decision.answer, Declined)
    assert rejection_of(decision.answer) == rejection


def test_a_payment_over_a_tiers_limit_says_which_limit() -> None:
    given = GivenKnown(KNOWN, topup(95), credit(100), credit(100), credit(90))
    decision = given.when(pay(95)).decision
    assert isinstance(decision.answer, Declined)
    assert rejection_of(decision.answer) == decision.rejection
    assert decision.rejection == TierLimitExceeded(
        limit_name="largest_balance", limit=300, amount=95, tier="TIER_ONE"
    )


BEGUN: list[Step] = [OPENED, credit(3), hold(1, reference="begun")]
IN_GROUPS: list[tuple[str, list[Step], Command]] = [
    ("a debit of what is held", [credit(6), hold(4)], debit(6)),
    ("a debit while all is frozen", [credit(6), freeze("all")], debit(1)),
    ("a capture of more than is held", [credit(7), hold(4)], capture(5)),
    ("a credit of too much", [credit(6), hold(4)], credit(MAX_AMOUNT_MINOR)),
    ("a top-up of too much", [credit(6), hold(4)], topup(MAX_AMOUNT_MINOR)),
    ("a top-up while all is frozen", [credit(6), freeze("all")], topup(1)),
    ("a payment of too much", [topup(6), credit(MAX_AMOUNT_MINOR - 3), hold(4)], pay(6)),
    ("a payment of another amount", [topup(6), credit(6), hold(4)], pay(7)),
    ("a close of what is not empty", [credit(6), hold(4)], CLOSE),
    ("a void of what is over", [credit(6), hold(4), void()], void()),
    ("a tier of a customer that nobody knows", [credit(6)], raise_tier("TIER_TWO")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("group", "command"), [row[1:] for row in IN_GROUPS], ids=[row[0] for row in IN_GROUPS]
)
def test_a_decline_that_undoes_its_group_says_why_and_how_the_wallet_is_without_it(
    group: list[Step], command: Command
) -> None:
    """It was decided on what came before it in the group, which then did not come to be."""
    decision = GivenKnown(*BEGUN, *group).when(command).decision
    assert isinstance(decision.answer, Declined)
    recorded = as_it_stands(decision.answer, GivenKnown(*BEGUN).wallets[WALLET_ID])
    assert isinstance(recorded, Declined)
    assert rejection_of(recorded) == decision.rejection
    assert recorded.balance == 3
    if isinstance(recorded, DebitDeclined | CreditDeclined | TopupUnapplied):
        assert recorded.available == 2
