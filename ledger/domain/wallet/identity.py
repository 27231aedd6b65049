"""Customers whose identity is known: enrolment, a higher tier, review of tier three, erasure."""

from ledger.domain.nuban import account_number
from ledger.domain.wallet.decision import Decision, Facts
from ledger.domain.wallet.declines import declined_identity
from ledger.domain.wallet.lifecycle import NOTHING_TO_DO, refusal_of_opening
from ledger.domain.wallet.state import Wallet
from schemas.commands import EnrollCustomer, EraseCustomer, RaiseTier, ReviewWallet
from schemas.events import CustomerErased, TierRaised, WalletOpened, WalletReviewed
from schemas.rejections import (
    IdentityTaken,
    Rejection,
    ReviewNotPending,
    TierNotRaised,
    WalletClosed,
    WalletInactive,
)
from schemas.tiers import TIERS, Tier

REVIEWED_TIER: Tier = "TIER_THREE"
"""The tier that needs a review."""


def enroll(command: EnrollCustomer, facts: Facts) -> Decision:
    """Like a create, with one customer per person. In tier three the review allots the number."""
    if (refusal := refusal_of_opening(command.customer_id, facts)) is not None:
        return Decision((), refusal)
    if facts.identity_owner not in (None, command.customer_id):
        return Decision((), IdentityTaken(customer_id=facts.identity_owner or ""))
    waits = command.tier == REVIEWED_TIER
    opened = WalletOpened(
        customer_id=command.customer_id,
        user_id=facts.user_id,
        currency=command.currency,
        metadata=command.metadata,
        tier=command.tier,
        identity=command.identity,
        bank_code=None if waits else command.bank_code,
        account_number=None if waits else _allotted(command.bank_code, facts),
        review="pending" if waits else None,
    )
    return Decision((opened,))


def raise_tier(wallet: Wallet, command: RaiseTier) -> Decision:
    """Only to a higher tier. Tier three waits for its review, as after an enrolment there."""
    if (refusal := _refusal_of_raise(wallet, command.tier)) is not None:
        return declined_identity(wallet, "raise_tier", refusal)
    raised = TierRaised(
        tier=command.tier,
        identity=command.identity,
        review="pending" if command.tier == REVIEWED_TIER else None,
    )
    return Decision((raised,))


def _refusal_of_raise(wallet: Wallet, tier: Tier) -> Rejection | None:
    if wallet.status == "closed":
        return WalletClosed()
    if wallet.is_inactive:
        return WalletInactive()
    profile = wallet.profile
    if profile is None or profile.tier is None or profile.is_erased:
        return TierNotRaised()
    if TIERS.index(tier) <= TIERS.index(profile.tier):
        return TierNotRaised()
    return None


def review(wallet: Wallet, command: ReviewWallet, facts: Facts) -> Decision:
    """Settle a pending review for good: an approved wallet is active, a rejected one never is."""
    profile = wallet.profile
    if wallet.status == "closed":
        return declined_identity(wallet, "review", WalletClosed())
    if profile is None or profile.review != "pending" or profile.is_erased:
        return declined_identity(wallet, "review", ReviewNotPending())
    if command.outcome == "rejected":
        return Decision((WalletReviewed(outcome="rejected", reason=command.reason),))
    has_number = profile.account_number is not None
    approved = WalletReviewed(
        outcome="approved",
        reason=command.reason,
        frozen=wallet.frozen,
        bank_code=None if has_number else command.bank_code,
        account_number=None if has_number else _allotted(command.bank_code, facts),
    )
    return Decision((approved,))


def erase(wallet: Wallet, command: EraseCustomer) -> Decision:
    """Once, even for a closed wallet: its customer's identity is forgotten, its money is not."""
    if wallet.profile is not None and wallet.profile.is_erased:
        return NOTHING_TO_DO
    return Decision((CustomerErased(user_id=wallet.user_id, reason=command.reason),))


def _allotted(bank_code: str, facts: Facts) -> str:
    assert facts.next_serial is not None, "a serial was asked for"
    return account_number(facts.next_serial, bank_code)
