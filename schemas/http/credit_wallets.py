"""Request and answer shapes of contract A, the Credit Wallets API, under `/v1`.

Amounts and balances are integers in the currency's minor unit; times are UTC.
Unknown fields of a request are ignored, except those of `UNSUPPORTED_FIELDS`.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.commands import NO_METADATA, Description, Metadata
from schemas.identifiers import CustomerId, Reference, TransactionId, UserId, WalletId
from schemas.money import Amount, Balance, CurrencyCode
from schemas.results import TransactionKind, TransactionType, WalletStatus

DEFAULT_PAGE_SIZE = 20
MAX_PAGE_SIZE = 100

PageSize = Annotated[
    int, Meta(ge=1, le=MAX_PAGE_SIZE, description="How many entries a page holds at most.")
]
Cursor = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=512,
        description="Where the next page starts: `next_cursor` of the page before. Opaque.",
    ),
]
TransactionStatus = Literal["completed", "failed"]

UNSUPPORTED_FIELDS: dict[str, str] = {
    "expires_at": "expiring credits are not available yet",
}
"""Fields of the contract that this release cannot honour: refused, never ignored."""


class CreateWalletRequest(Struct, frozen=True, kw_only=True, gc=False):
    """Open a wallet for a customer, in one currency."""

    customer_id: CustomerId
    currency: CurrencyCode
    metadata: Metadata = NO_METADATA


class MoneyRequest(Struct, frozen=True, kw_only=True, gc=False):
    """Move money into a wallet (credit) or out of it (debit)."""

    amount: Amount
    description: Description = ""
    reference: Reference
    metadata: Metadata = NO_METADATA


class CloseWalletRequest(Struct, frozen=True, kw_only=True, gc=False):
    """Close for good. An empty body is the same as an empty object."""

    remaining_balance: Annotated[
        Literal["forfeit"] | None,
        Meta(description="What becomes of money left; without it the wallet must be empty."),
    ] = None


class Wallet(Struct, frozen=True, kw_only=True, gc=False):
    """A wallet as it stands."""

    id: WalletId
    customer_id: CustomerId
    user_id: UserId
    currency: CurrencyCode
    balance: Annotated[Balance, Meta(description="The booked balance, in minor units.")]
    balance_formatted: Annotated[
        str, Meta(description="The booked balance as people write it; for display only.")
    ]
    available_balance: Annotated[
        Balance, Meta(description="What can be spent now, in minor units.")
    ]
    status: WalletStatus
    metadata: Metadata
    created_at: datetime
    updated_at: datetime


class Transaction(Struct, frozen=True, kw_only=True, gc=False):
    """One movement of money, or one that was declined."""

    id: TransactionId
    wallet_id: WalletId
    type: TransactionType
    kind: Annotated[TransactionKind, Meta(description="Says more than `type` does.")]
    status: Annotated[
        TransactionStatus, Meta(description="`failed` was declined and moved no money.")
    ]
    code: Annotated[str | None, Meta(description="Why it was declined; null where it was not.")]
    amount: Amount
    balance_before: Balance
    balance_after: Balance
    available_balance: Balance
    currency: CurrencyCode
    reference: Reference | None
    description: Description | None
    metadata: Metadata
    created_at: datetime


class WalletPage(Struct, frozen=True, kw_only=True, gc=False):
    """A page of wallets."""

    data: list[Wallet]
    has_more: bool
    next_cursor: Annotated[
        str | None, Meta(description="Send it as `after` to get the next page; null at the end.")
    ]


class TransactionPage(Struct, frozen=True, kw_only=True, gc=False):
    """A page of transactions, newest first."""

    data: list[Transaction]
    has_more: bool
    next_cursor: Annotated[
        str | None, Meta(description="Send it as `after` to get the next page; null at the end.")
    ]
