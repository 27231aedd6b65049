"""Commands: what a client asks for. One Struct per command, imperative, without a promise.

The same Structs come from HTTP (where the path gives `wallet_id`) and from the
Kafka topic `ledger.commands` (where the CloudEvents type is `ledger.command.<tag>.v1`).
Amounts are integers in minor units. None contains unsealed personal data.
"""

from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct

from schemas.identifiers import (
    BankCode,
    CustomerId,
    HoldId,
    PaymentId,
    Reference,
    TopupId,
    TransactionId,
    UserId,
    WalletId,
)
from schemas.identity import Digest, ReviewOutcome, SealedText
from schemas.money import Amount, CurrencyCode
from schemas.tiers import Tier
from schemas.times import AskedMoment

NO_METADATA = Raw(b"null")
"""`metadata` if none was sent; answers show it as null."""

MAX_BATCH_COMMANDS = 1_000
"""One append has no more, so no more can be applied all or none."""

FreezeScope = Literal["debits", "credits", "all"]
Reason = Annotated[str, Meta(max_length=255, description="Kept in the wallet's history.")]
Description = Annotated[str, Meta(max_length=1024, description="Shown in the history.")]
Metadata = Annotated[
    Raw,
    Meta(
        description="A JSON object of the caller's own; returned as it was sent.",
        extra_json_schema={"type": ["object", "null"]},
    ),
]


RedirectUrl = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=2048,
        pattern="^https?://",
        description=(
            "Where the customer's browser goes afterwards: https, or http where the tenant is a "
            "sandbox or the host is this machine; from the merchant's list where it keeps one."
        ),
    ),
]


class CreateWallet(Struct, frozen=True, kw_only=True, gc=False, tag="create_wallet"):
    """Open a wallet for a customer. One open wallet per tenant, customer and currency."""

    customer_id: CustomerId
    currency: CurrencyCode
    metadata: Metadata = NO_METADATA


class CreditWallet(Struct, frozen=True, kw_only=True, gc=False, tag="credit_wallet"):
    """Put money in: an admin credit, without a payment behind it.

    With `expires_at`, which must be in the future, whatever is not spent by then lapses.
    """

    wallet_id: WalletId
    amount: Amount
    description: Description = ""
    reference: Reference
    expires_at: AskedMoment | None = None
    metadata: Metadata = NO_METADATA


class DebitWallet(Struct, frozen=True, kw_only=True, gc=False, tag="debit_wallet"):
    """Take money out; declined if less is available."""

    wallet_id: WalletId
    amount: Amount
    description: Description = ""
    reference: Reference
    metadata: Metadata = NO_METADATA


class FreezeWallet(Struct, frozen=True, kw_only=True, gc=False, tag="freeze_wallet"):
    """Stop what the scope names; another freeze adds its scope. `credits` stops top-ups, too."""

    wallet_id: WalletId
    scope: FreezeScope = "debits"
    reason: Reason | None = None


class UnfreezeWallet(Struct, frozen=True, kw_only=True, gc=False, tag="unfreeze_wallet"):
    """Lift every freeze."""

    wallet_id: WalletId
    reason: Reason | None = None


class TransferTo(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the money of a closing wallet goes."""

    transfer_to: WalletId


class CloseWallet(Struct, frozen=True, kw_only=True, tag="close_wallet"):
    """Close for good. `remaining_balance` says what happens to the remaining money."""

    wallet_id: WalletId
    remaining_balance: Literal["forfeit"] | TransferTo | None = None


class PlaceHold(Struct, frozen=True, kw_only=True, gc=False, tag="place_hold"):
    """Set money aside. It is still the wallet's, but only a capture can spend it.

    With `expires_at`, which must be in the future, the hold ends by itself.
    """

    wallet_id: WalletId
    amount: Amount
    description: Description = ""
    reference: Reference
    expires_at: AskedMoment | None = None
    metadata: Metadata = NO_METADATA


class CaptureHold(Struct, frozen=True, kw_only=True, gc=False, tag="capture_hold"):
    """Spend held money: `amount` of it, or all. `final` frees what is left."""

    hold_id: HoldId
    amount: Amount | None = None
    final: bool = False
    description: Description = ""
    reference: Reference | None = None
    metadata: Metadata = NO_METADATA


class VoidHold(Struct, frozen=True, kw_only=True, gc=False, tag="void_hold"):
    """Free what is left of a hold."""

    hold_id: HoldId


class TransferMoney(Struct, frozen=True, kw_only=True, gc=False, tag="transfer_money"):
    """Move money between two wallets of one currency, in one append."""

    from_wallet_id: WalletId
    to_wallet_id: WalletId
    amount: Amount
    description: Description = ""
    reference: Reference
    metadata: Metadata = NO_METADATA


class ReverseTransaction(Struct, frozen=True, kw_only=True, gc=False, tag="reverse_transaction"):
    """Undo a transaction by an opposite one: `amount` of it, or what is not yet reversed.

    `allow_negative` lets the reversal of a credit take the wallet below zero.
    """

    transaction_id: TransactionId
    amount: Amount | None = None
    allow_negative: bool = False
    description: Description = ""
    reference: Reference
    metadata: Metadata = NO_METADATA


class CreateTopup(Struct, frozen=True, kw_only=True, gc=False, tag="create_topup"):
    """Ask a customer for a payment into the wallet.

    Without `expires_at`, which must be in the future, it can be paid for half an hour.
    """

    wallet_id: WalletId
    amount: Amount
    redirect_url: RedirectUrl
    cancel_url: RedirectUrl | None = None
    expires_at: AskedMoment | None = None
    description: Description = ""
    reference: Reference | None = None
    metadata: Metadata = NO_METADATA


class CompleteTopup(Struct, frozen=True, kw_only=True, gc=False, tag="complete_topup"):
    """A payment for a top-up has arrived. One `payment_id` counts once, even if reported again.

    It is credited whenever the wallet can take it, even if the top-up has ended by then;
    otherwise it is kept as unapplied.
    """

    topup_id: TopupId
    payment_id: PaymentId
    amount: Amount
    currency: CurrencyCode


class CancelTopup(Struct, frozen=True, kw_only=True, gc=False, tag="cancel_topup"):
    """Cancel a pending top-up."""

    topup_id: TopupId


class ExpireDue(Struct, frozen=True, kw_only=True, gc=False, tag="expire_due"):
    """Lapse what is due. Every command does so first; this one does nothing else."""

    wallet_id: WalletId


class EnrollCustomer(Struct, frozen=True, kw_only=True, gc=False, tag="enroll_customer"):
    """Open a wallet for a customer whose identity was already verified and sealed.

    `asked` stands for all personal data as sent; `identity_index` for the BVN only.
    """

    customer_id: UserId
    currency: CurrencyCode
    tier: Tier
    identity: SealedText
    identity_index: Digest
    asked: Digest
    bank_code: BankCode
    metadata: Metadata = NO_METADATA


class RaiseTier(Struct, frozen=True, kw_only=True, gc=False, tag="raise_tier"):
    """Raise the customer's tier; `identity` is the whole identity, sealed again."""

    wallet_id: WalletId
    tier: Tier
    identity: SealedText
    asked: Digest


class ReviewWallet(Struct, frozen=True, kw_only=True, gc=False, tag="review_wallet"):
    """Settle the review of a tier-three wallet: once, and for good."""

    wallet_id: WalletId
    outcome: ReviewOutcome
    reason: Reason | None = None
    bank_code: BankCode


class EraseCustomer(Struct, frozen=True, kw_only=True, gc=False, tag="erase_customer"):
    """Erase the customer's identity. The wallet and its money stay as they are."""

    wallet_id: WalletId
    reason: Reason | None = None


Command = (
    CreateWallet
    | CreditWallet
    | DebitWallet
    | FreezeWallet
    | UnfreezeWallet
    | CloseWallet
    | PlaceHold
    | CaptureHold
    | VoidHold
    | TransferMoney
    | ReverseTransaction
    | CreateTopup
    | CompleteTopup
    | CancelTopup
    | ExpireDue
    | EnrollCustomer
    | RaiseTier
    | ReviewWallet
    | EraseCustomer
)

COMMAND_TYPES: dict[str, type[Command]] = {
    "create_wallet": CreateWallet,
    "credit_wallet": CreditWallet,
    "debit_wallet": DebitWallet,
    "freeze_wallet": FreezeWallet,
    "unfreeze_wallet": UnfreezeWallet,
    "close_wallet": CloseWallet,
    "place_hold": PlaceHold,
    "capture_hold": CaptureHold,
    "void_hold": VoidHold,
    "transfer_money": TransferMoney,
    "reverse_transaction": ReverseTransaction,
    "create_topup": CreateTopup,
    "complete_topup": CompleteTopup,
    "cancel_topup": CancelTopup,
    "expire_due": ExpireDue,
}
"""Every command that Kafka may bring, by its tag; those about a person come over HTTP only."""
