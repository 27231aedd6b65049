"""An event that contradicts what came before it is a broken log: the fold stops, every time.

Each row takes an event that follows from its past, and says another thing in it. What else
the event says is made to fit, so that only what is named can be what is found.
"""

from typing import Any

import pytest
from msgspec.structs import replace

from ledger.domain.wallet import evolve
from schemas.commands import Command
from schemas.events import (
    Expiring,
    HoldPlaced,
    LotAmount,
    TierRaised,
    TopupCreated,
    WalletClosed,
    WalletDebited,
    WalletEvent,
)
from tests.specs.decider import OPENED, START, WALLET_ID, Step
from tests.specs.known_customers import (
    AT_TIER_THREE,
    KNOWN,
    UNDER_REVIEW,
    GivenKnown,
    review,
)
from tests.specs.wallet_commands import (
    EXPIRE_DUE,
    JULY,
    JUNE,
    cancel,
    capture,
    credit,
    debit,
    hold,
    pay,
    reverse,
    topup,
    void,
)

WITH_9: list[Step] = [OPENED, credit(9, reference="c")]
WITH_LOT: list[Step] = [*WITH_9, credit(4, JUNE)]
HELD: list[Step] = [*WITH_9, hold(5)]
ASKED: list[Step] = [OPENED, topup(5)]
KNOWN_WITH_9: list[Step] = [KNOWN, credit(9), debit(2)]
BOTH_BALANCES = {"balance_before": 1, "balance_after": 1}

MORE_BY: list[tuple[str, list[Step], Command, dict[str, int]]] = [
    ("a debit from another balance", WITH_9, debit(2), BOTH_BALANCES),
    ("a debit to another balance", WITH_9, debit(2), {"balance_after": 1}),
    ("a debit that leaves another amount available", WITH_9, debit(2), {"available_after": 1}),
    ("a credit from another balance", WITH_9, credit(2), BOTH_BALANCES),
    ("a credit to another balance", WITH_9, credit(2), {"balance_after": 1}),
    ("a credit that leaves another amount available", WITH_9, credit(2), {"available_after": 1}),
    ("a lapse from another balance", [*WITH_LOT, JUNE], EXPIRE_DUE, BOTH_BALANCES),
    ("a payment from another balance", ASKED, pay(5), BOTH_BALANCES),
    ("a reversal from another balance", WITH_9, reverse("c"), BOTH_BALANCES),
    ("a hold of another balance", WITH_9, hold(5), {"balance": 1}),
    ("a hold that leaves another amount available", WITH_9, hold(5), {"available_after": 1}),
    ("a capture from another balance", HELD, capture(2), BOTH_BALANCES),
    ("a capture to another balance", HELD, capture(2), {"balance_after": 1}),
    ("a capture of another hold", HELD, capture(2), {"held_after": 1}),
    ("a capture that frees another amount", HELD, capture(2, final=True),
     {"released": 1, "available_after": 1}),
    ("a release of another balance", HELD, void(), {"balance": 1}),
    ("a release of another amount", HELD, void(), {"amount": 1, "available_after": 1}),
    ("the end of another top-up", ASKED, cancel(), {"amount": 1}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("past", "command", "more_by"), [row[1:] for row in MORE_BY], ids=[row[0] for row in MORE_BY]
)
def test_amounts_that_do_not_follow_are_not_believed(
    past: list[Step], command: Command, more_by: dict[str, int]
) -> None:
    event = _following(past, command)
    _believed(past, event)
    more = {field: getattr(event, field) + by for field, by in more_by.items()}
    _not_believed(past, replace(event, **more))


SAID: list[tuple[str, list[Step], Command, dict[str, Any]]] = [
    ("lots, where there are none", WITH_9, credit(2),
     {"expiring_after": Expiring(amount=2, next_at=JUNE, next_amount=2)}),
    ("no lots, where there are some", WITH_LOT, debit(2), {"expiring_after": None}),
    ("another lot spent", WITH_LOT, debit(2), {"spent": (LotAmount(amount=2, expires_at=JULY),)}),
    ("more of a lot than there is", WITH_LOT, debit(6),
     {"spent": (LotAmount(amount=5, expires_at=JUNE), LotAmount(amount=1))}),
    ("another freeze, when it is approved", [UNDER_REVIEW], review(), {"frozen": "all"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("past", "command", "said"), [row[1:] for row in SAID], ids=[row[0] for row in SAID]
)
def test_what_does_not_follow_is_not_believed(
    past: list[Step], command: Command, said: dict[str, Any]
) -> None:
    event = _following(past, command)
    _believed(past, event)
    _not_believed(past, replace(event, **said))


def test_no_hold_and_no_topup_is_made_twice() -> None:
    placed = _following(WITH_9, hold(2))
    assert isinstance(placed, HoldPlaced)
    again = replace(placed, available_after=placed.available_after - placed.amount)
    _not_believed([*WITH_9, placed], again)
    asked = _following([OPENED], topup(5))
    assert isinstance(asked, TopupCreated)
    _not_believed([OPENED, asked], asked)


def test_nothing_is_closed_that_holds_money_or_waits_for_some() -> None:
    _believed([OPENED], WalletClosed())
    _not_believed(WITH_9, WalletClosed())
    _not_believed([*HELD, debit(4), reverse("c", 5, allow_negative=True)], WalletClosed())
    _not_believed(ASKED, WalletClosed())


def test_a_days_debits_are_counted_on_from_what_they_were() -> None:
    debited = _following(KNOWN_WITH_9, debit(3))
    assert isinstance(debited, WalletDebited)
    assert debited.day is not None
    assert debited.day.amount == 5
    _believed(KNOWN_WITH_9, debited)
    _not_believed(KNOWN_WITH_9, replace(debited, day=replace(debited.day, amount=6)))
    _not_believed([OPENED, credit(9), debit(2)], debited)


def test_only_who_is_known_is_raised_and_only_what_is_pending_is_settled() -> None:
    raised = TierRaised(tier="TIER_TWO", identity="YmV0dGVy")
    _believed([KNOWN], raised)
    _not_believed([OPENED], raised)
    approved = _following([UNDER_REVIEW], review())
    _believed([KNOWN, AT_TIER_THREE], approved)
    _not_believed([KNOWN], approved)
    _not_believed([UNDER_REVIEW, review()], approved)
    _not_believed([OPENED], approved)


@pytest.mark.parametrize("version", [0, 1, 2, 4], ids=lambda version: f"event {version}")
def test_no_event_is_left_out_and_none_comes_twice(version: int) -> None:
    """Two have been: the third is next."""
    wallet = GivenKnown(*WITH_9).wallets[WALLET_ID]
    event = _following(WITH_9, credit(1))
    assert evolve(wallet, event, wallet_id=WALLET_ID, version=3, at=START).version == 3
    with pytest.raises(AssertionError):
        evolve(wallet, event, wallet_id=WALLET_ID, version=version, at=START)


def test_a_wallet_is_opened_by_its_first_event_and_by_no_other() -> None:
    with pytest.raises(AssertionError, match="by event 2"):
        evolve(None, OPENED, wallet_id=WALLET_ID, version=2, at=START)
    with pytest.raises(AssertionError, match="never opened"):
        evolve(None, WalletClosed(), wallet_id=WALLET_ID, version=1, at=START)
    wallet = GivenKnown(OPENED).wallets[WALLET_ID]
    with pytest.raises(AssertionError, match="opened twice"):
        evolve(wallet, OPENED, wallet_id=WALLET_ID, version=1, at=START)


def _following(past: list[Step], command: Command) -> WalletEvent:
    """The event by which a command is answered."""
    decision = GivenKnown(*past).when(command).decision
    assert decision.rejection is None
    return decision.events[-1]


def _believed(past: list[Step], event: WalletEvent) -> None:
    before = GivenKnown(*past).wallets[WALLET_ID].version
    assert GivenKnown(*past, event).wallets[WALLET_ID].version == before + 1


def _not_believed(past: list[Step], event: WalletEvent) -> None:
    GivenKnown(*past)
    with pytest.raises(AssertionError):
        GivenKnown(*past, event)
