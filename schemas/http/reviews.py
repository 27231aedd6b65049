"""Answer shapes of the Credit Wallets API about persons under review; only for reviewers."""

from datetime import date, datetime
from typing import Annotated, Literal

from msgspec import Meta

from schemas.identifiers import CustomerId, UserId, WalletId
from schemas.personal import Personal
from schemas.tiers import Tier


class ReviewedPerson(Personal, frozen=True, kw_only=True):
    """What a customer said of itself; null is what was not asked for."""

    first_name: str
    last_name: str
    date_of_birth: date
    phone_number: Annotated[str, Meta(description="E.164.")]
    email: str
    address: str
    postal_code: str | None
    country: str | None
    state: str | None
    lga: Annotated[str | None, Meta(description="The local government area.")]
    city: str | None
    bvn: str
    nin: str | None


class PendingReview(Personal, frozen=True, kw_only=True):
    """A wallet that waits for its review, and its customer."""

    wallet_id: WalletId
    customer_id: CustomerId
    user_id: UserId
    tier: Tier
    review: Literal["pending"]
    person: ReviewedPerson
    utility_bill: Annotated[str | None, Meta(description="The path of the bill; null without one.")]
    created_at: datetime
