"""Events of a customer who is known: tier, review, erasure; and what a day's debits come to.

Who the customer is stands in them sealed, under a key of the customer's own: destroying that
key erases the person and leaves every event, and its hash, as it is.
"""

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.commands import FreezeScope, Reason
from schemas.identifiers import AccountNumber, BankCode, UserId
from schemas.identity import ReviewOutcome, SealedText
from schemas.money import Amount, Balance
from schemas.tiers import Tier

DeclineCode = Annotated[
    str,
    Meta(
        pattern="^[a-z_]+$",
        description="Why it was declined: the code of a rejection. New codes may come.",
        examples=["insufficient_funds", "wallet_frozen", "wallet_closed"],
    ),
]
"""The rejections that become facts, because the wallet's state decided them.

Not an enumeration: a subscriber must take a code that it does not know, or every new rule
of a wallet would break it.
"""


class DayTotal(Struct, frozen=True, kw_only=True, gc=False):
    """What a wallet's debits of one day come to, holds as they are placed, with this one."""

    # Qualified: since Python 3.14 a field's own name hides what its annotation names.
    date: dt.date
    """In the ledger's time zone."""
    amount: Amount


class _Event(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What every event is; a field at its default is left out of the JSON."""


class TierRaised(_Event, frozen=True, kw_only=True, tag="wallet.tier_raised"):
    """The customer's tier was raised."""

    tier: Tier
    identity: SealedText
    review: Literal["pending"] | None = None
    """Tier three waits for its review; until then no money enters or leaves."""


class WalletReviewed(_Event, frozen=True, kw_only=True, tag="wallet.reviewed"):
    """The outcome of a tier-three wallet's review.

    An approved wallet has an account number: this one, or the one that it had before.
    """

    outcome: ReviewOutcome
    frozen: FreezeScope | None = None
    """What a freeze still stops, if the review approved it."""
    reason: Reason | None = None
    bank_code: BankCode | None = None
    account_number: AccountNumber | None = None


class CustomerErased(_Event, frozen=True, kw_only=True, tag="wallet.customer_erased"):
    """The customer's identity was erased. Anybody who keeps a copy must erase it too."""

    user_id: UserId
    reason: Reason | None = None


class IdentityDeclined(_Event, frozen=True, kw_only=True, tag="wallet.identity_declined"):
    """The wallet's state did not allow a tier to be raised, or a review to be settled."""

    change: Literal["raise_tier", "review"]
    code: DeclineCode
    balance: Balance
