"""Declines: the event of a refusal says all of it, also where it is another wallet's."""

import pytest

from ledger.command_handling.results import Declined, rejection_of
from schemas.events import ChangeDeclined
from schemas.money import MAX_AMOUNT_MINOR
from schemas.rejections import BalanceLimitExceeded, Rejection, TierLimitExceeded
from tests.specs.decider import OPENED, OTHER_ID, OTHER_OPENED, Step
from tests.specs.known_customers import KNOWN, GivenKnown
from tests.specs.wallet_commands import JULY, JUNE, close_into, credit, hold, pay, topup

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
     BalanceLimitExceeded(amount=7, balance=MAX_AMOUNT_MINOR, limit=MAX_AMOUNT_MINOR)),
    ("more than a wallet holds, where each has as much",
     [OTHER_OPENED, credit(HALF, of=OTHER_ID), credit(HALF)],
     BalanceLimitExceeded(amount=HALF, balance=HALF, limit=MAX_AMOUNT_MINOR)),
    ("more than a wallet holds, where the other has as much as is held and left",
     [OTHER_OPENED, credit(HALF + 5, of=OTHER_ID), credit(HALF)],
     BalanceLimitExceeded(amount=HALF, balance=HALF + 5, limit=MAX_AMOUNT_MINOR)),
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
    booked = given.wallets[close_into().wallet_id].balance
    decision = given.when(close_into(), now=JULY).decision
    assert decision.rejection == rejection
    assert isinstance(decision.answer, ChangeDeclined)
    assert decision.answer.balance == booked
    assert rejection_of(decision.answer) == rejection


def test_a_payment_over_a_tiers_limit_says_which_limit() -> None:
    given = GivenKnown(KNOWN, topup(95), credit(100), credit(100), credit(90))
    decision = given.when(pay(95)).decision
    assert isinstance(decision.answer, Declined)
    assert rejection_of(decision.answer) == decision.rejection
    assert decision.rejection == TierLimitExceeded(
        limit_name="largest_balance", limit=300, amount=95, tier="TIER_ONE"
    )
