"""What commands and events may say of a person: sealed text, digests, and a review's state."""

from typing import Annotated, Literal

from msgspec import Meta

SealedText = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=16_384,
        pattern="^[A-Za-z0-9+/_-]+={0,2}$",
        description="Who the customer is, encrypted under a key of the customer's own; base64.",
    ),
]
Digest = Annotated[
    str,
    Meta(
        pattern="^[0-9a-f]{64}$",
        description="An HMAC under a key that the ledger does not have: equal where it was equal.",
    ),
]
ReviewOutcome = Literal["approved", "rejected"]
Review = Literal["pending", "approved", "rejected"]
LimitName = Literal["largest_credit", "largest_balance", "daily_debit"]
