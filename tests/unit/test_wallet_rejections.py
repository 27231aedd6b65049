"""Every rejection is given by a wallet, or there is said who else gives it."""

import pytest

from ledger.command_handling.results import Declined, rejection_of
from ledger.domain.wallet import Facts
from ledger.domain.wallet.state import MAX_OPEN_HOLDS, MAX_OPEN_LOTS, MAX_PENDING_TOPUPS
from schemas.commands import Command, CreateWallet
from schemas.money import MAX_AMOUNT_MINOR
from schemas.rejections import (
    REJECTION_TYPES,
    BalanceLimitExceeded,
    BatchDeclined,
    CaptureExceedsHold,
    CurrencyMismatch,
    CustomerIdConflict,
    ExpiryNotAhead,
    HoldNotOpen,
    HoldUnknown,
    IdentityTaken,
    InsufficientFunds,
    NotReversible,
    PaymentMismatch,
    ReferenceReused,
    Rejection,
    ReversalExceedsTransaction,
    ReviewNotPending,
    SameWallet,
    TierLimitExceeded,
    TierNotRaised,
    TooManyHeldLots,
    TooManyHolds,
    TooManyLots,
    TooManyTopups,
    TopupAlreadyPaid,
    TopupNotPending,
    TopupUnknown,
    TransactionUnknown,
    WalletClosed,
    WalletExists,
    WalletFrozen,
    WalletInactive,
    WalletNotEmpty,
    WalletUnknown,
)
from tests.specs.decider import (
    OPENED,
    START,
    THIRD_ID,
    THIRD_OPENED,
    USER_ID,
    WALLET_ID,
    Given,
    Step,
)
from tests.specs.known_customers import (
    KNOWN,
    LIMITS,
    UNDER_REVIEW,
    enroll,
    raise_tier,
    review,
)
from tests.specs.wallet_commands import (
    CLOSE,
    JUNE,
    cancel,
    capture,
    credit,
    debit,
    freeze,
    hold,
    many_held_lots,
    pay,
    reverse,
    topup,
    transfer,
    void,
)

OF_THE_COMMAND_HANDLING = {BatchDeclined, ReferenceReused, TransactionUnknown}
"""Batches, references and transactions: one wallet's state does not know them."""

CREATE = CreateWallet(customer_id="ama", currency="GHS")
WITH_9: list[Step] = [OPENED, credit(9, reference="c")]
FULL = credit(MAX_AMOUNT_MINOR)
MANY_LOTS = [credit(1, JUNE.replace(microsecond=number)) for number in range(MAX_OPEN_LOTS)]
MANY_HOLDS = [hold(1, reference=f"h{number}") for number in range(MAX_OPEN_HOLDS)]
MANY_TOPUPS = [topup(1, reference=f"t{number}") for number in range(MAX_PENDING_TOPUPS)]

REJECTED: dict[type[Rejection], tuple[list[Step], Command]] = {
    InsufficientFunds: (WITH_9, debit(10)),
    WalletFrozen: ([*WITH_9, freeze()], debit(1)),
    WalletClosed: ([OPENED, CLOSE], credit(1)),
    WalletNotEmpty: (WITH_9, CLOSE),
    WalletUnknown: ([], debit(1)),
    WalletExists: ([], CREATE),
    CustomerIdConflict: ([], CREATE),
    BalanceLimitExceeded: (WITH_9, FULL),
    CurrencyMismatch: ([*WITH_9, THIRD_OPENED], transfer(1, receiver=THIRD_ID)),
    SameWallet: (WITH_9, transfer(1, receiver=WALLET_ID)),
    ExpiryNotAhead: ([OPENED], credit(1, START)),
    TooManyLots: ([OPENED, *MANY_LOTS], credit(1, JUNE.replace(second=1))),
    TooManyHolds: ([OPENED, FULL, *MANY_HOLDS], hold(1)),
    TooManyHeldLots: ([OPENED, *many_held_lots(), credit(1, JUNE)], hold(1)),
    HoldUnknown: (WITH_9, capture()),
    HoldNotOpen: ([*WITH_9, hold(5), void()], capture()),
    CaptureExceedsHold: ([*WITH_9, hold(5)], capture(6)),
    TopupUnknown: (WITH_9, pay(1)),
    TopupNotPending: ([OPENED, topup(5), cancel()], cancel()),
    TooManyTopups: ([OPENED, *MANY_TOPUPS], topup(1)),
    TopupAlreadyPaid: ([OPENED, topup(5), pay(5)], pay(5, "again")),
    PaymentMismatch: ([OPENED, topup(5)], pay(5, currency="NGN")),
    NotReversible: ([*WITH_9, reverse("c")], reverse("back")),
    ReversalExceedsTransaction: (WITH_9, reverse("c", 10)),
    WalletInactive: ([UNDER_REVIEW], credit(1)),
    TierLimitExceeded: ([KNOWN], credit(101)),
    IdentityTaken: ([], enroll()),
    TierNotRaised: ([OPENED], raise_tier("TIER_TWO")),
    ReviewNotPending: ([KNOWN], review()),
}
FACTS: dict[type[Rejection], Facts] = {
    WalletExists: Facts(open_wallet_id=WALLET_ID),
    CustomerIdConflict: Facts(user_id=USER_ID, user_id_owner="kofi"),
    IdentityTaken: Facts(identity_owner="kofi"),
    TierLimitExceeded: Facts(limits=LIMITS["TIER_ONE"], day=START.date()),
}


@pytest.mark.parametrize("kind", REJECTED, ids=lambda kind: kind.__name__)
def test_a_rejection_is_given_and_its_event_says_all_of_it(kind: type[Rejection]) -> None:
    past, command = REJECTED[kind]
    decision = Given(*past).when(command, FACTS.get(kind, Facts())).decision
    assert type(decision.rejection) is kind
    answer = decision.answer
    if isinstance(answer, Declined):
        assert rejection_of(answer) == decision.rejection
    else:
        assert decision.events == ()


def test_every_rejection_has_its_row() -> None:
    assert set(REJECTION_TYPES) == REJECTED.keys() | OF_THE_COMMAND_HANDLING
