"""Limits of tiers: one credit, the balance, a day's debits; and a review keeps all money out."""

from datetime import timedelta

import pytest

from ledger.domain.wallet import Facts, Wallet
from ledger.domain.wallet.limits import day_with
from schemas.commands import Command
from schemas.events import (
    DayTotal,
    DebitDeclined,
    HoldPlaced,
    HoldReleased,
    TopupUnapplied,
    TransferSent,
    WalletDebited,
    decode_event,
    encode_event,
)
from schemas.money import MAX_AMOUNT_MINOR
from schemas.rejections import (
    InsufficientFunds,
    Rejection,
    TierLimitExceeded,
    WalletClosed,
    WalletFrozen,
    WalletInactive,
)
from schemas.tiers import TierLimits
from tests.specs.decider import (
    OPENED,
    OTHER_ID,
    OTHER_OPENED,
    START,
    WALLET_ID,
    Given,
    Step,
    received_named,
)
from tests.specs.known_customers import (
    AT_TIER_THREE,
    KNOWN,
    UNDER_REVIEW,
    GivenKnown,
    raise_tier,
    review,
)
from tests.specs.wallet_commands import (
    CLOSE,
    EXPIRE_DUE,
    FORFEIT,
    UNFREEZE,
    cancel,
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

ONE_DAY = timedelta(days=1)
RICH: list[Step] = [KNOWN, OTHER_OPENED, credit(100, reference="c"), credit(100, reference="c2")]
"""Tier one: 300 at most, 100 at once, 50 a day."""
OTHER_KNOWN = (OTHER_ID, KNOWN)


def over(name: str, limit: int, amount: int, wallet_id: str | None = None) -> TierLimitExceeded:
    return TierLimitExceeded(
        limit_name=name,  # type: ignore[arg-type]
        limit=limit,
        amount=amount,
        tier="TIER_ONE",
        wallet_id=wallet_id,
    )


REFUSED: list[tuple[str, list[Step], Command, Rejection]] = [
    ("one credit too large", [KNOWN], credit(101), over("largest_credit", 100, 101)),
    ("too large a balance", [*RICH, credit(100)], credit(1), over("largest_balance", 300, 1)),
    ("a day's debit", RICH, debit(51), over("daily_debit", 50, 51)),
    ("a day's debits", [*RICH, debit(50)], debit(1, "d2"), over("daily_debit", 50, 1)),
    ("a hold counts", [*RICH, hold(50)], debit(1), over("daily_debit", 50, 1)),
    ("a hold is counted", [*RICH, debit(1)], hold(50), over("daily_debit", 50, 50)),
    ("a void gives nothing back", [*RICH, hold(50), void()], debit(1),
     over("daily_debit", 50, 1)),
    ("a transfer counts", [*RICH, transfer(50)], debit(1), over("daily_debit", 50, 1)),
    ("a transfer is counted", [*RICH, debit(1)], transfer(50), over("daily_debit", 50, 50)),
    ("a top-up asked for", [KNOWN], topup(101), over("largest_credit", 100, 101)),
    ("a top-up over the balance", [*RICH, credit(90)], topup(20),
     over("largest_balance", 300, 20)),
    ("a payment over the balance", [*RICH, topup(90), credit(90)], pay(90),
     over("largest_balance", 300, 90)),
    ("a transfer into it", [OPENED, OTHER_KNOWN, credit(500)], transfer(101),
     over("largest_credit", 100, 101, OTHER_ID)),
    ("a close into it", [OPENED, OTHER_KNOWN, credit(101)], close_into(),
     over("largest_credit", 100, 101, OTHER_ID)),
    ("less than that is there", [KNOWN, credit(10)], debit(60),
     InsufficientFunds(amount=60, available=10)),
    ("it is frozen", [*RICH, freeze()], debit(60), WalletFrozen()),
    ("it is closed", [KNOWN, CLOSE], credit(101), WalletClosed()),
]  # fmt: skip


@pytest.mark.parametrize(("past", "command", "rejection"), [row[1:] for row in REFUSED],
                         ids=[row[0] for row in REFUSED])  # fmt: skip
def test_what_a_tier_does_not_allow(
    past: list[Step], command: Command, rejection: Rejection
) -> None:
    decision = GivenKnown(*past).when(command).decision
    assert decision.rejection == rejection
    assert len(decision.events) == 1, "it is a fact"


ALLOWED: list[tuple[str, list[Step], Command]] = [
    ("exactly what the tier allows at once", [KNOWN], credit(100)),
    ("exactly the largest balance", RICH, credit(100)),
    ("exactly a day's debits", [*RICH, debit(20)], hold(30)),
    ("the capture of a hold, which was counted", [*RICH, hold(50)], capture(50)),
    ("a debit of the next day", [*RICH, debit(50), START + ONE_DAY], debit(50, "d2")),
    ("a refund over the largest balance", [*RICH, debit(50, "d"), credit(100), credit(50)],
     reverse("d")),
    ("the reversal of a credit, which is no debit", [*RICH, debit(50)], reverse("c2")),
    ("the rest at closing, into one without a tier", [*RICH, debit(50)], close_into()),
    ("more at a higher tier", [*RICH, debit(50), raise_tier("TIER_TWO")], debit(40, "d2")),
]  # fmt: skip


@pytest.mark.parametrize(("past", "command"), [row[1:] for row in ALLOWED],
                         ids=[row[0] for row in ALLOWED])  # fmt: skip
def test_what_a_tier_allows(past: list[Step], command: Command) -> None:
    assert GivenKnown(*past).when(command).decision.rejection is None


def test_a_debit_says_what_the_day_comes_to() -> None:
    given = GivenKnown(*RICH, debit(20), hold(5))
    answer = given.when(debit(7, "d2")).decision.answer
    assert isinstance(answer, WalletDebited)
    assert answer.day == DayTotal(date=START.date(), amount=32)
    given.now += ONE_DAY
    placed = given.when(hold(3, reference="h2")).decision.answer
    assert isinstance(placed, HoldPlaced)
    assert placed.day == DayTotal(date=START.date() + ONE_DAY, amount=3)


def test_what_a_close_moves_is_not_counted_into_the_day() -> None:
    sent, _ = GivenKnown(*RICH, debit(20)).when(close_into()).decision.events
    assert isinstance(sent, TransferSent)
    assert (sent.amount, sent.day) == (180, None)


def test_a_day_that_was_set_back_is_counted_on() -> None:
    given = GivenKnown(*RICH, debit(30))
    total = day_with(given.wallets[WALLET_ID], 5, START.date() - ONE_DAY)
    assert total == DayTotal(date=START.date(), amount=35)


def test_where_nothing_ends_a_day_it_is_counted_as_far_as_can_be_told() -> None:
    """More in a day than an amount can be: by holds that come free again, without a limit."""
    facts = Facts(day=START.date())
    largest = MAX_AMOUNT_MINOR
    given = Given(KNOWN, credit(largest))
    for _ in range(2):
        placed = given.when(hold(largest), facts).decision.answer
        assert isinstance(placed, HoldPlaced)
        assert placed.day == DayTotal(date=START.date(), amount=largest)
        encoded = encode_event(placed)
        assert decode_event("wallet.hold_placed", 1, encoded) == placed, "it can be read again"
        given.when(void()).then_kinds(HoldReleased)


def test_a_wallet_without_a_tier_counts_nothing() -> None:
    given = GivenKnown(OPENED, credit(1_000))
    answer = given.when(debit(1_000)).decision.answer
    assert isinstance(answer, WalletDebited)
    assert answer.day is None
    assert given.wallets[WALLET_ID].profile is None


def test_limits_that_nobody_has_set_stop_nothing() -> None:
    facts = Facts(day=START.date())
    assert Given(KNOWN, credit(10_000)).when(debit(10_000), facts).decision.rejection is None


@pytest.mark.parametrize(
    "command", [credit(10_000), debit(10_000), hold(10_000), transfer(10_000), topup(10_000)]
)
def test_a_tier_that_is_not_limited_stops_nothing(command: Command) -> None:
    without = TierLimits(
        largest_balance_minor=None, largest_credit_minor=None, largest_daily_debit_minor=None
    )
    facts = Facts(limits=without, other_limits=without, day=START.date())
    given = Given(KNOWN, (OTHER_ID, KNOWN), credit(10_000))
    assert given.when(command, facts).decision.rejection is None


INACTIVE: list[Step] = [UNDER_REVIEW, OTHER_OPENED, credit(9, of=OTHER_ID)]
MOVED: list[Step] = [*RICH, debit(5, "d"), hold(2), topup(6), transfer(1, "out"),
                     transfer(1, "in", OTHER_ID, WALLET_ID), AT_TIER_THREE]  # fmt: skip
BY_OTHER = WalletInactive(wallet_id=WALLET_ID)

STOPPED: list[tuple[str, list[Step], Command, Rejection]] = [
    ("a credit", INACTIVE, credit(1), WalletInactive()),
    ("a debit", INACTIVE, debit(1), WalletInactive()),
    ("a hold", INACTIVE, hold(1), WalletInactive()),
    ("a transfer out", INACTIVE, transfer(1), WalletInactive()),
    ("a transfer in", INACTIVE, transfer(1, "t", OTHER_ID, WALLET_ID), BY_OTHER),
    ("a top-up", INACTIVE, topup(1), WalletInactive()),
    ("a frozen one's debit", [*INACTIVE, freeze("all")], debit(1), WalletInactive()),
    ("a rejected one's credit", [*INACTIVE, review("rejected")], credit(1), WalletInactive()),
    ("a capture", MOVED, capture(1), WalletInactive()),
    ("a debit's reversal", MOVED, reverse("d"), WalletInactive()),
    ("a credit's reversal", MOVED, reverse("c"), WalletInactive()),
    ("the reversal of a transfer out", MOVED, reverse("out"), WalletInactive()),
    ("the reversal of a transfer in", MOVED, reverse("", transaction=received_named("in")),
     WalletInactive()),
    ("a payment", MOVED, pay(6), WalletInactive()),
    ("the forfeit at closing", MOVED, FORFEIT, WalletInactive()),
]  # fmt: skip


@pytest.mark.parametrize(("past", "command", "rejection"), [row[1:] for row in STOPPED],
                         ids=[row[0] for row in STOPPED])  # fmt: skip
def test_no_money_enters_or_leaves_before_the_review(
    past: list[Step], command: Command, rejection: Rejection
) -> None:
    given = GivenKnown(*past)
    before = {key: (wallet.balance, wallet.available) for key, wallet in given.wallets.items()}
    decision = given.when(command).decision
    assert decision.rejection == rejection
    after = {key: (wallet.balance, wallet.available) for key, wallet in given.wallets.items()}
    assert after == before


@pytest.mark.parametrize("command", [freeze(), UNFREEZE, void(), cancel(), EXPIRE_DUE],
                         ids=lambda command: type(command).__name__)  # fmt: skip
def test_what_moves_no_money_goes_on_before_the_review(command: Command) -> None:
    given = GivenKnown(*MOVED)
    assert given.when(command).decision.rejection is None
    wallet: Wallet = given.wallets[WALLET_ID]
    assert wallet.is_inactive, "only a review activates it"


def test_an_empty_wallet_closes_before_the_review() -> None:
    given = GivenKnown(*INACTIVE)
    assert given.when(CLOSE).decision.rejection is None
    assert given.wallets[WALLET_ID].status == "closed"


def test_a_payment_that_comes_before_the_review_is_kept() -> None:
    answer = GivenKnown(*MOVED).when(pay(6)).decision.answer
    assert isinstance(answer, TopupUnapplied)
    assert answer.code == "wallet_inactive"


def test_money_moves_again_when_the_review_has_approved_it() -> None:
    given = GivenKnown(*MOVED, review())
    decision = given.when(debit(5, "d2")).decision
    assert decision.rejection is None
    declined = given.when(debit(2_000, "d3")).decision.answer
    assert isinstance(declined, DebitDeclined)
