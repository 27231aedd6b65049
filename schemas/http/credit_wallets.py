"""Request and answer shapes of the Credit Wallets API, under `/v1`.

Amounts and balances are integers in the currency's minor unit; times are UTC.
Unknown fields of a request are ignored.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from schemas.commands import (
    NO_METADATA,
    Description,
    FreezeScope,
    Metadata,
    Reason,
    RedirectUrl,
    TransferTo,
)
from schemas.identifiers import (
    CustomerId,
    HoldId,
    PaymentId,
    Reference,
    TopupId,
    TransactionId,
    TransferId,
    UserId,
    WalletId,
)
from schemas.identity import ReviewOutcome
from schemas.money import Amount, Balance, CurrencyCode
from schemas.results import (
    HoldStatus,
    TopupStatus,
    TransactionKind,
    TransactionType,
    WalletStatus,
)
from schemas.times import MomentText

DEFAULT_PAGE_SIZE = 20
MAX_PAGE_SIZE = 100

NextCursor = Annotated[
    str | None, Meta(description="Send it as `after` to get the next page; null at the end.")
]
TransactionStatus = Literal["completed", "failed"]


class CreateWalletRequest(Struct, frozen=True, kw_only=True, gc=False):
    """Open a wallet for a customer, in one currency."""

    customer_id: CustomerId
    currency: CurrencyCode
    metadata: Metadata = NO_METADATA


class CreditRequest(Struct, frozen=True, kw_only=True, gc=False):
    """Put money into a wallet. What is left of it at `expires_at` lapses."""

    amount: Amount
    description: Description = ""
    reference: Reference
    expires_at: MomentText | None = None
    metadata: Metadata = NO_METADATA


class DebitRequest(Struct, frozen=True, kw_only=True, gc=False):
    """Take money out of a wallet."""

    amount: Amount
    description: Description = ""
    reference: Reference
    metadata: Metadata = NO_METADATA


class FreezeWalletRequest(Struct, frozen=True, kw_only=True, gc=False):
    """Stop what the scope names. An empty body is the same as an empty object."""

    scope: Annotated[
        FreezeScope, Meta(description="What to stop, in addition to what is already stopped.")
    ] = "debits"
    reason: Reason | None = None


class ReviewWalletRequest(Struct, frozen=True, kw_only=True, gc=False):
    """What the review of a tier-three wallet has come to: once, and for good."""

    outcome: Annotated[
        ReviewOutcome, Meta(description="`approved` makes it active, with an account number.")
    ]
    reason: Reason | None = None


class UnfreezeWalletRequest(Struct, frozen=True, kw_only=True, gc=False):
    """Lift every freeze. An empty body is the same as an empty object."""

    reason: Reason | None = None


class CloseWalletRequest(Struct, frozen=True, kw_only=True, gc=False):
    """Close for good. An empty body is the same as an empty object."""

    remaining_balance: Annotated[
        Literal["forfeit"] | TransferTo | None,
        Meta(
            description="What happens to the remaining money; without it the wallet must be empty."
        ),
    ] = None


class HoldRequest(Struct, frozen=True, kw_only=True, gc=False):
    """Set money aside. At `expires_at` the hold ends by itself."""

    amount: Amount
    description: Description = ""
    reference: Reference
    expires_at: MomentText | None = None
    metadata: Metadata = NO_METADATA


class CaptureRequest(Struct, frozen=True, kw_only=True, gc=False):
    """Spend held money. An empty body captures all of it."""

    amount: Annotated[
        Amount | None, Meta(description="How much; without it, everything that is still held.")
    ] = None
    final: Annotated[bool, Meta(description="Whether this frees what is left.")] = False
    description: Description = ""
    reference: Annotated[
        Reference | None, Meta(description="The capture's own; without it, the hold's is shown.")
    ] = None
    metadata: Metadata = NO_METADATA


class TransferRequest(Struct, frozen=True, kw_only=True, gc=False):
    """Move money between two wallets of one currency."""

    from_wallet_id: Annotated[WalletId, Meta(description="The wallet that sends the money.")] = (
        field(name="from")
    )
    to_wallet_id: Annotated[WalletId, Meta(description="The wallet that receives it.")] = field(
        name="to"
    )
    amount: Amount
    description: Description = ""
    reference: Reference
    metadata: Metadata = NO_METADATA


class TopupRequest(Struct, frozen=True, kw_only=True, gc=False):
    """Ask a customer for a payment. Without `expires_at` it can be paid for half an hour."""

    amount: Amount
    redirect_url: RedirectUrl
    cancel_url: Annotated[
        RedirectUrl | None,
        Meta(description="Where the browser goes after a cancel; without it, `redirect_url`."),
    ] = None
    expires_at: MomentText | None = None
    description: Description = ""
    reference: Annotated[
        Reference | None, Meta(description="The caller's own; without it, the top-up's id.")
    ] = None
    metadata: Metadata = NO_METADATA


class ReverseRequest(Struct, frozen=True, kw_only=True, gc=False):
    """Undo a transaction by an opposite one."""

    amount: Annotated[
        Amount | None,
        Meta(description="How much; without it, everything that is not reversed yet."),
    ] = None
    allow_negative: Annotated[
        bool,
        Meta(
            description=(
                "Whether the reversal of a credit may take the wallet below zero. "
                "Needs the scope `admin`."
            )
        ),
    ] = False
    description: Description = ""
    reference: Reference
    metadata: Metadata = NO_METADATA


class ExpiringMoney(Struct, frozen=True, kw_only=True, gc=False):
    """The part of a wallet's available money that will lapse."""

    amount: Annotated[Amount, Meta(description="All of it together, in minor units.")]
    next_at: Annotated[datetime, Meta(description="When the next part lapses.")]
    next_amount: Annotated[Amount, Meta(description="How much lapses then.")]


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
    held_balance: Annotated[
        Balance, Meta(description="What open holds set aside: booked, but not available.")
    ]
    expiring: ExpiringMoney | None
    status: WalletStatus
    frozen: Annotated[FreezeScope | None, Meta(description="What a freeze has stopped.")]
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
    expires_at: Annotated[
        datetime | None,
        Meta(description="Of a credit: when what is left lapses. Of an expiry: when it was due."),
    ]
    hold_id: Annotated[HoldId | None, Meta(description="Of a capture: the hold.")]
    held_amount: Annotated[
        Balance | None, Meta(description="Of a capture: what the hold still sets aside.")
    ]
    transfer_id: Annotated[
        TransferId | None, Meta(description="Of a transfer, and of its reversal.")
    ]
    other_wallet_id: Annotated[
        WalletId | None, Meta(description="Where transferred money came from or went.")
    ]
    reverses: Annotated[
        TransactionId | None, Meta(description="Of a reversal: the transaction that it undoes.")
    ]
    topup_id: Annotated[TopupId | None, Meta(description="Of a top-up.")]
    payment_id: Annotated[
        PaymentId | None, Meta(description="Of a top-up: the provider's name for its payment.")
    ]
    reversed_amount: Annotated[Balance, Meta(description="How much of it was reversed since.")]
    metadata: Metadata
    created_at: datetime


class Hold(Struct, frozen=True, kw_only=True, gc=False):
    """Money set aside. Only a capture can spend it."""

    id: HoldId
    wallet_id: WalletId
    status: HoldStatus
    amount: Annotated[Amount, Meta(description="What was set aside at first.")]
    captured_amount: Annotated[Balance, Meta(description="What was captured of it.")]
    held_amount: Annotated[Balance, Meta(description="What is still set aside.")]
    currency: CurrencyCode
    reference: Reference
    description: Description
    expires_at: Annotated[datetime | None, Meta(description="When the hold ends by itself.")]
    metadata: Metadata
    created_at: datetime
    updated_at: datetime


class Transfer(Struct, frozen=True, kw_only=True, gc=False):
    """Money that went from one wallet to another. It never changes."""

    id: TransferId
    from_wallet_id: WalletId = field(name="from")
    to_wallet_id: WalletId = field(name="to")
    amount: Amount
    currency: CurrencyCode
    reference: Annotated[
        Reference | None, Meta(description="Null where a wallet was closed into another.")
    ]
    description: Description
    sent_transaction_id: Annotated[
        TransactionId, Meta(description="The transaction of the wallet that sent.")
    ]
    received_transaction_id: Annotated[
        TransactionId, Meta(description="The transaction of the wallet that received.")
    ]
    metadata: Metadata
    created_at: datetime


class Topup(Struct, frozen=True, kw_only=True, gc=False):
    """A payment into a wallet that was asked for, and what became of it."""

    id: TopupId
    wallet_id: WalletId
    status: Annotated[
        TopupStatus,
        Meta(description="`unapplied`: a payment has come that the wallet could not take."),
    ]
    amount: Amount
    currency: CurrencyCode
    reference: Reference
    description: Description
    checkout_url: Annotated[str, Meta(description="The page on which the customer pays.")]
    redirect_url: RedirectUrl
    cancel_url: RedirectUrl | None
    expires_at: Annotated[datetime, Meta(description="When it ends by itself, if it is not paid.")]
    transaction_id: Annotated[
        TransactionId | None, Meta(description="What the payment became; failed if unapplied.")
    ]
    payment_id: PaymentId | None
    code: Annotated[
        str | None, Meta(description="Why a payment could not be applied; null where it was.")
    ]
    metadata: Metadata
    created_at: datetime
    updated_at: datetime


class WalletPage(Struct, frozen=True, kw_only=True, gc=False):
    """A page of wallets."""

    data: list[Wallet]
    has_more: bool
    next_cursor: NextCursor


class TransactionPage(Struct, frozen=True, kw_only=True, gc=False):
    """A page of transactions, newest first."""

    data: list[Transaction]
    has_more: bool
    next_cursor: NextCursor


class HoldPage(Struct, frozen=True, kw_only=True, gc=False):
    """A page of holds, newest first."""

    data: list[Hold]
    has_more: bool
    next_cursor: NextCursor


class TopupPage(Struct, frozen=True, kw_only=True, gc=False):
    """A page of top-ups, newest first."""

    data: list[Topup]
    has_more: bool
    next_cursor: NextCursor
