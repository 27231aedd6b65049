"""Customers who are known: their commands in few words, their limits, and what sets them."""

from datetime import tzinfo
from hashlib import sha256
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from ledger.domain.wallet import Facts
from schemas.commands import Command, EnrollCustomer, EraseCustomer, RaiseTier, ReviewWallet
from schemas.events import TierRaised, WalletOpened
from schemas.identity import ReviewOutcome
from schemas.tiers import Tier, TierLimits
from tests.specs.decider import USER_ID, WALLET_ID, Given, Step

BANK = "999999"
SEALED = "c2VhbGVk"
LIMITS: dict[Tier, TierLimits] = {
    "TIER_ONE": TierLimits(
        largest_balance_minor=300, largest_credit_minor=100, largest_daily_debit_minor=50
    ),
    "TIER_TWO": TierLimits(
        largest_balance_minor=500, largest_credit_minor=200, largest_daily_debit_minor=90
    ),
    "TIER_THREE": TierLimits(
        largest_balance_minor=None, largest_credit_minor=None, largest_daily_debit_minor=1_000
    ),
}
KNOWN = WalletOpened(
    customer_id=USER_ID,
    user_id=USER_ID,
    currency="GHS",
    tier="TIER_ONE",
    identity=SEALED,
    bank_code=BANK,
    account_number="0000000006",
)
UNDER_REVIEW = WalletOpened(
    customer_id=USER_ID,
    user_id=USER_ID,
    currency="GHS",
    tier="TIER_THREE",
    identity=SEALED,
    review="pending",
)
AT_TIER_THREE = TierRaised(tier="TIER_THREE", identity=SEALED, review="pending")


def digest(text: str) -> str:
    """An HMAC, as far as the ledger can tell."""
    return sha256(text.encode()).hexdigest()


def customer(number: int) -> str:
    """A customer id."""
    return str(UUID(int=number))


def enroll(
    number: int = 1,
    person: str = "ama",
    tier: Tier = "TIER_ONE",
    *,
    currency: str = "GHS",
    asked: str | None = None,
    sealed: str = SEALED,
) -> EnrollCustomer:
    """Open a wallet for this person, as this customer."""
    return EnrollCustomer(
        customer_id=customer(number),
        currency=currency,
        tier=tier,
        identity=sealed,
        identity_index=digest(person),
        asked=digest(asked or person),
        bank_code=BANK,
    )


def raise_tier(tier: Tier, of: str = WALLET_ID) -> RaiseTier:
    """The customer is known better."""
    return RaiseTier(wallet_id=of, tier=tier, identity="YmV0dGVy", asked=digest(tier))


def review(outcome: ReviewOutcome = "approved", of: str = WALLET_ID) -> ReviewWallet:
    """Settle a review."""
    return ReviewWallet(wallet_id=of, outcome=outcome, bank_code=BANK)


def erase(of: str = WALLET_ID) -> EraseCustomer:
    """Forget who the customer is."""
    return EraseCustomer(wallet_id=of)


class FixedRules:
    """The rules of `LIMITS`, in Lagos."""

    time_zone: tzinfo = ZoneInfo("Africa/Lagos")

    def limits_of(self, tier: Tier, currency: str) -> TierLimits:
        """The limits of a tier, in any currency."""
        return LIMITS[tier]


class GivenKnown(Given):
    """Wallets of customers who are known: the limits are those of `LIMITS`, the day is UTC's."""

    def __init__(self, *past: Step) -> None:
        self.next_serial = 0
        super().__init__(*past)

    def _looked_up(self, command: Command, facts: Facts) -> tuple[str, Facts]:
        wallet_id, facts = super()._looked_up(command, facts)
        profile = None if wallet_id not in self.wallets else self.wallets[wallet_id].profile
        other = None if facts.other is None else facts.other.profile
        has_tier = profile is not None and profile.tier is not None
        return wallet_id, replace(
            facts,
            limits=None if profile is None or profile.tier is None else LIMITS[profile.tier],
            day=self.now.date() if has_tier else None,
            other_limits=None if other is None or other.tier is None else LIMITS[other.tier],
            next_serial=self.next_serial,
        )
