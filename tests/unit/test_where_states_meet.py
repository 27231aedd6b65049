"""Where states meet: a row for each line of the reference's page, which has the same words."""

from pathlib import Path
from typing import NamedTuple

import pytest

from schemas.commands import Command
from schemas.rejections import (
    InsufficientFunds,
    NotReversible,
    PaymentMismatch,
    Rejection,
    ReversalExceedsTransaction,
    TierLimitExceeded,
    TopupAlreadyPaid,
    TopupNotPending,
    WalletClosed,
    WalletFrozen,
    WalletInactive,
    WalletNotEmpty,
    code_of,
)
from tests.specs.decider import (
    NEVER,
    OPENED,
    OTHER_ID,
    OTHER_OPENED,
    WALLET_ID,
    Amounts,
    Step,
    received_named,
    topup_named,
    transaction_at,
    transaction_named,
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
    AUGUST,
    CLOSE,
    EXPIRE_DUE,
    FORFEIT,
    JULY,
    JUNE,
    UNFREEZE,
    cancel,
    capture,
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

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "where-states-meet.md"


class Row(NamedTuple):
    """What the page says, and how it is shown: what was done, what comes, and what is then."""

    state: str
    comes: str
    outcome: str
    past: list[Step]
    command: Command
    rejection: Rejection | None = None
    left: Amounts | None = None
    """What is available afterwards, by when it lapses."""
    other_left: Amounts | None = None
    """The same of the other wallet."""


BEFORE: list[Step] = [
    OPENED,
    OTHER_OPENED,
    credit(10, reference="c"),
    credit(4, JULY, "lot"),
    hold(2, JUNE),
    debit(3, "d"),
    credit(5, of=OTHER_ID),
    transfer(3, "in", OTHER_ID, WALLET_ID),
    transfer(1, "out"),
]
"""Leaves 11 that never lapse, and a hold of 2 out of the lot of July, until June."""
NO_DEBITS: list[Step] = [*BEFORE, freeze("debits")]
NO_CREDITS: list[Step] = [*BEFORE, freeze("credits")]
DEBT: list[Step] = [
    OPENED,
    credit(10, reference="c"),
    debit(7),
    reverse("c", allow_negative=True),
]
LOTS: list[Step] = [
    OPENED,
    credit(10, JULY, "c"),
    credit(4, AUGUST),
    credit(3, JUNE),
    credit(2),
]
FROZEN = WalletFrozen()
BY_OTHER = WalletFrozen(wallet_id=OTHER_ID)
CLOSED: list[Step] = [OPENED, credit(5, reference="c"), debit(5, "d"), topup(6), CLOSE]
ASKED: list[Step] = [*BEFORE, topup(6)]

KNOWN_AS: list[Step] = [KNOWN, OTHER_OPENED, credit(9, of=OTHER_ID), credit(90, reference="c")]
"""Tier one: 300 at most, 100 at once, 50 a day."""
WAITING: list[Step] = [*KNOWN_AS, debit(4, "d"), hold(2), topup(6), AT_TIER_THREE]
INACTIVE = WalletInactive()
THE_DAY = TierLimitExceeded(limit_name="daily_debit", limit=50, amount=1, tier="TIER_ONE")
AT_ONCE = TierLimitExceeded(limit_name="largest_credit", limit=100, amount=101, tier="TIER_ONE")
AT_MOST = TierLimitExceeded(limit_name="largest_balance", limit=300, amount=95, tier="TIER_ONE")

ROWS = [
    Row("debits frozen", "a debit", "declined", NO_DEBITS, debit(1), FROZEN),
    Row("debits frozen", "a hold", "declined", NO_DEBITS, hold(1), FROZEN),
    Row("debits frozen", "a capture", "declined", NO_DEBITS, capture(1), FROZEN),
    Row("debits frozen", "a transfer out", "declined", NO_DEBITS, transfer(1), FROZEN),
    Row("debits frozen", "the reversal of a credit", "declined", NO_DEBITS, reverse("c", 1),
        FROZEN),
    Row("debits frozen", "the reversal of a transfer in", "declined", NO_DEBITS,
        reverse("", transaction=received_named("in")), FROZEN),
    Row("debits frozen", "a void", "done", NO_DEBITS, void(), None, {JULY: 2, NEVER: 11}),
    Row("debits frozen", "a lot's moment", "it lapses",
        [OPENED, credit(5, JUNE), freeze("all"), JUNE], EXPIRE_DUE, None, {}),
    Row("debits frozen", "a hold's moment", "it expires", [*NO_DEBITS, JUNE], EXPIRE_DUE, None,
        {JULY: 2, NEVER: 11}),
    Row("debits frozen", "a credit", "done", NO_DEBITS, credit(1), None, {NEVER: 12}),
    Row("debits frozen", "a transfer in", "done", NO_DEBITS,
        transfer(1, "t", OTHER_ID, WALLET_ID), None, {NEVER: 2}, {NEVER: 12}),
    Row("debits frozen", "the reversal of a debit", "done", NO_DEBITS, reverse("d"), None,
        {JULY: 2, NEVER: 12}),
    Row("credits frozen", "a credit", "declined", NO_CREDITS, credit(1), FROZEN),
    Row("credits frozen", "a transfer in", "declined",
        [*BEFORE, freeze("credits", OTHER_ID)], transfer(1), BY_OTHER),
    Row("credits frozen", "the reversal of a debit", "declined", NO_CREDITS, reverse("d"),
        FROZEN),
    Row("credits frozen", "the reversal of a transfer out", "declined", NO_CREDITS,
        reverse("out"), FROZEN),
    Row("debits frozen", "a new top-up", "done", NO_DEBITS, topup(6), None, {NEVER: 11}),
    Row("debits frozen", "a top-up's payment", "credited", [*ASKED, freeze("debits")], pay(6),
        None, {NEVER: 17}),
    Row("credits frozen", "a new top-up", "declined", NO_CREDITS, topup(6), FROZEN),
    Row("credits frozen", "a top-up's payment", "kept as unapplied",
        [*ASKED, freeze("credits")], pay(6), FROZEN),
    Row("credits frozen", "a top-up's cancel", "done", [*ASKED, freeze("all")], cancel(), None,
        {NEVER: 11}),
    Row("credits frozen", "a top-up's moment", "it expires",
        [*ASKED, freeze("all"), JUNE], EXPIRE_DUE, None, {JULY: 2, NEVER: 11}),
    Row("credits frozen", "a debit", "done", NO_CREDITS, debit(1), None, {NEVER: 10}),
    Row("credits frozen", "a void", "done", NO_CREDITS, void(), None, {JULY: 2, NEVER: 11}),
    Row("closed", "the reversal of a credit", "declined", CLOSED,
        reverse("c", allow_negative=True), WalletClosed()),
    Row("closed", "the reversal of a debit", "declined", CLOSED, reverse("d"), WalletClosed()),
    Row("closed", "a top-up's payment", "kept as unapplied", CLOSED, pay(6), WalletClosed()),
    Row("closed", "a top-up's cancel", "declined", CLOSED, cancel(),
        TopupNotPending(topup_id=topup_named("top"))),
    Row("its top-up cancelled", "a payment", "credited", [*ASKED, cancel()], pay(6), None,
        {NEVER: 17}),
    Row("its top-up expired", "a payment", "credited", [*ASKED, JUNE, EXPIRE_DUE], pay(6), None,
        {JULY: 2, NEVER: 17}),
    Row("its top-up paid", "the same payment", "nothing", [*ASKED, pay(6)], pay(6), None,
        {NEVER: 17}),
    Row("its top-up paid", "another payment", "kept as unapplied", [*ASKED, pay(6)],
        pay(6, "again"), TopupAlreadyPaid(topup_id=topup_named("top"))),
    Row("its top-up pending", "a payment of another amount", "kept as unapplied", ASKED, pay(5),
        PaymentMismatch(amount=6, currency="GHS")),
    Row("any", "the reversal of a top-up", "refused", [*ASKED, pay(6)], reverse("paid"),
        NotReversible(transaction_id=transaction_named("paid"))),
    Row("any", "the reversal of an expiry", "refused",
        [OPENED, credit(5, JUNE), JUNE, EXPIRE_DUE], reverse("", transaction=transaction_at(3)),
        NotReversible(transaction_id=transaction_at(3))),
    Row("any", "the reversal of a reversal", "refused", [*BEFORE, reverse("d")], reverse("back"),
        NotReversible(transaction_id=transaction_named("back"))),
    Row("any", "more reversed than there was", "declined", [*BEFORE, reverse("d", 2)],
        reverse("d", 2), ReversalExceedsTransaction(amount=2, reversible=1)),
    Row("any", "the reversal of a transfer", "both legs are reversed", BEFORE, reverse("out"),
        None, {NEVER: 12}, {NEVER: 2}),
    Row("the other has spent it", "the reversal of a transfer", "declined, both legs",
        [*BEFORE, debit(3, of=OTHER_ID)], reverse("out"),
        InsufficientFunds(amount=1, available=0, wallet_id=OTHER_ID)),
    Row("the other is frozen", "the reversal of a transfer", "declined, both legs",
        [*BEFORE, freeze("debits", OTHER_ID)], reverse("out"), BY_OTHER),
    Row("with lots", "the reversal of a credit", "takes its own lot first",
        LOTS, reverse("c", 10), None, {JUNE: 3, AUGUST: 4, NEVER: 2}),
    Row("with lots, its own spent", "the reversal of a credit", "then what never expires",
        [*LOTS, debit(13)], reverse("c", 2), None, {AUGUST: 4}),
    Row("with lots, its own spent", "the reversal of a credit, of more", "then the soonest lots",
        [*LOTS, debit(12)], reverse("c", 4), None, {AUGUST: 3}),
    Row("less available", "the reversal of a credit", "declined",
        [*LOTS, debit(14)], reverse("c", 6), InsufficientFunds(amount=6, available=5)),
    Row("less available", "the reversal of a credit, with `allow_negative`", "done: a debt",
        [*LOTS, debit(14)], reverse("c", 6, allow_negative=True), None, {NEVER: -1}),
    Row("in debt", "a credit", "fills the debt, the rest is a lot", DEBT, credit(9, JUNE), None,
        {JUNE: 2}),
    Row("in debt", "a top-up's payment", "fills the debt", [*DEBT, topup(9)], pay(9), None,
        {NEVER: 2}),
    Row("in debt", "a close", "declined", DEBT, FORFEIT, WalletNotEmpty(balance=-7)),
    Row("under review", "a credit", "declined", WAITING, credit(1), INACTIVE),
    Row("under review", "a debit", "declined", WAITING, debit(1), INACTIVE),
    Row("under review", "a transfer in", "declined", WAITING,
        transfer(1, "t", OTHER_ID, WALLET_ID), WalletInactive(wallet_id=WALLET_ID)),
    Row("under review", "a capture", "declined", WAITING, capture(1), INACTIVE),
    Row("under review", "the reversal of a debit", "declined", WAITING, reverse("d"), INACTIVE),
    Row("under review", "a new top-up", "declined", WAITING, topup(1), INACTIVE),
    Row("under review", "a top-up's payment", "kept as unapplied", WAITING, pay(6), INACTIVE),
    Row("under review", "a void", "done", WAITING, void(), None, {NEVER: 86}),
    Row("under review", "an unfreeze", "nothing", WAITING, UNFREEZE, None, {NEVER: 84}),
    Row("under review", "a close that forfeits", "declined", WAITING, FORFEIT, INACTIVE),
    Row("under review, empty", "a close", "done", [UNDER_REVIEW], CLOSE, None, {}),
    Row("its review rejected", "a credit", "declined", [UNDER_REVIEW, review("rejected")],
        credit(1), INACTIVE),
    Row("its review approved", "a credit", "done", [UNDER_REVIEW, review()], credit(1), None,
        {NEVER: 1}),
    Row("of a tier", "a credit over the largest", "declined", KNOWN_AS, credit(101), AT_ONCE),
    Row("of a tier, a top-up pending", "its payment, over the largest balance",
        "kept as unapplied", [*KNOWN_AS, topup(95), credit(100), credit(90)], pay(95), AT_MOST),
    Row("of a tier, its day spent", "a debit", "declined", [*KNOWN_AS, debit(50)], debit(1),
        THE_DAY),
    Row("of a tier, its day held and voided", "a debit", "declined",
        [*KNOWN_AS, hold(50), void()], debit(1), THE_DAY),
    Row("of a tier, its day spent", "the capture of a hold", "done",
        [*KNOWN_AS, hold(50)], capture(50), None, {NEVER: 40}),
    Row("of a tier, its day spent", "the reversal of a credit", "done",
        [*KNOWN_AS, debit(50)], reverse("c", 9), None, {NEVER: 31}),
    Row("of a tier, its balance full", "the reversal of a debit", "done",
        [*KNOWN_AS, debit(50, "d"), credit(100), credit(100), credit(60)], reverse("d"), None,
        {NEVER: 350}),
    Row("of a tier, its day spent", "a debit at a higher tier", "done",
        [*KNOWN_AS, debit(50), raise_tier("TIER_TWO")], debit(1), None, {NEVER: 39}),
]  # fmt: skip


def outcome_of(row: Row) -> str:
    """As the page says it: a refusal with its code."""
    return row.outcome if row.rejection is None else f"{row.outcome}: `{code_of(row.rejection)}`"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.state}: {row.comes}")
def test_where_states_meet(row: Row) -> None:
    given = GivenKnown(*row.past)
    balances = {wallet_id: wallet.balance for wallet_id, wallet in given.wallets.items()}
    when = given.when(row.command)
    assert when.decision.rejection == row.rejection
    if row.rejection is not None:
        after = {wallet_id: wallet.balance for wallet_id, wallet in given.wallets.items()}
        assert after == balances, "what is refused moves nothing"
    for wallet_id, left in ((when.wallet_id, row.left), (_other(when.wallet_id), row.other_left)):
        if left is not None:
            wallet = given.wallets[wallet_id]
            held = wallet.balance - wallet.available
            when.then_has(booked=sum(left.values()) + held, held=held, lots=left, of=wallet_id)


def test_the_page_has_the_same_rows() -> None:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    shown = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines[2:]]
    assert shown == [(row.state, row.comes, outcome_of(row)) for row in ROWS]


def _other(wallet_id: str) -> str:
    return OTHER_ID if wallet_id == WALLET_ID else WALLET_ID
