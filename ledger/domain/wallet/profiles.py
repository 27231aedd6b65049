"""What a wallet knows of its customer's standing: tier, review, account number, the day's debits.

It holds nothing about the person: the identity is sealed in the events, and no rule reads it.
"""

from typing import assert_never

from msgspec.structs import replace

from ledger.domain.wallet.state import Profile
from schemas.events import (
    CustomerErased,
    HoldPlaced,
    TierRaised,
    TransferSent,
    WalletDebited,
    WalletOpened,
    WalletReviewed,
)
from schemas.money import MAX_AMOUNT_MINOR

Told = TierRaised | WalletReviewed | CustomerErased
Counted = WalletDebited | HoldPlaced | TransferSent


def profile_of(event: WalletOpened) -> Profile | None:
    """The profile that a wallet is opened with; None if the identity was never asked for."""
    if event.tier is None:
        return None
    return Profile(
        tier=event.tier,
        review=event.review,
        bank_code=event.bank_code,
        account_number=event.account_number,
    )


def told(profile: Profile | None, event: Told) -> Profile:
    """The profile after an event that adds to it, or erases the customer."""
    match event:
        case TierRaised():
            assert profile is not None, "the tier of nobody was raised"
            review = event.review or profile.review
            return replace(profile, tier=event.tier, review=review, is_raised=True)
        case WalletReviewed():
            assert profile is not None, "nobody was reviewed"
            assert profile.review == "pending", f"a review that is {profile.review} was settled"
            return replace(
                profile,
                review=event.outcome,
                bank_code=event.bank_code or profile.bank_code,
                account_number=event.account_number or profile.account_number,
            )
        case CustomerErased():
            return replace(profile or Profile(tier=None), is_erased=True)
        case _:
            assert_never(event)


def counted(profile: Profile | None, event: Counted) -> Profile:
    """The profile with the day's debits from the event."""
    assert profile is not None, "only a wallet with a tier counts its debits"
    assert event.day is not None, "the event counts"
    before = profile.day
    so_far = before.amount if before is not None and before.date == event.day.date else 0
    expected = with_one_more(so_far, event.amount)
    assert event.day.amount == expected, f"{so_far} and {event.amount}: {event.day}"
    return replace(profile, day=event.day)


def with_one_more(so_far: int, amount: int) -> int:
    """A day's debits with one more; without a limit, at most the largest amount there is."""
    return min(so_far + amount, MAX_AMOUNT_MINOR)
