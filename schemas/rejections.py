"""Rejections: business refusals, each a value with a stable code.

A rejection is returned, never raised. `message` says what is wrong and what to do;
it is for people and may change, the code may not.
"""

from typing import Literal

from msgspec import Struct

from schemas.identifiers import CustomerId, HoldId, TopupId, TransactionId, WalletId
from schemas.identity import LimitName
from schemas.money import Amount, CurrencyCode
from schemas.tiers import Tier


class InsufficientFunds(
    Struct, frozen=True, kw_only=True, tag_field="code", tag="insufficient_funds"
):
    """A debit of more than is available."""

    amount: int
    available: int


class WalletFrozen(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="code", tag="wallet_frozen"
):
    """What the freeze of the wallet stops; `wallet_id` where it is a transfer's other wallet."""

    wallet_id: WalletId | None = None


class WalletClosed(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="code", tag="wallet_closed"
):
    """Anything but a repeated close, on a closed wallet; `wallet_id` as in `WalletFrozen`."""

    wallet_id: WalletId | None = None


class WalletNotEmpty(Struct, frozen=True, kw_only=True, tag_field="code", tag="wallet_not_empty"):
    """A close that does not say what becomes of the money."""

    balance: int


class WalletExists(Struct, frozen=True, kw_only=True, tag_field="code", tag="wallet_exists"):
    """The customer has an open wallet in this currency already: `wallet_id`."""

    wallet_id: WalletId


class WalletUnknown(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="code", tag="wallet_not_found"
):
    """No such wallet, or another tenant's, which is the same; `wallet_id` where two are named."""

    wallet_id: WalletId | None = None


class ReferenceReused(Struct, frozen=True, kw_only=True, tag_field="code", tag="reference_reused"):
    """The reference or command id was used before for something else."""

    what: Literal["reference", "idempotency_key"]


class BalanceLimitExceeded(
    Struct, frozen=True, kw_only=True, tag_field="code", tag="balance_limit_exceeded"
):
    """A balance, or a debt, that would be over what every JSON client reads exactly."""

    amount: int
    balance: int
    limit: int


class CustomerIdConflict(
    Struct, frozen=True, kw_only=True, tag_field="code", tag="customer_id_conflict"
):
    """The customer id is the UUID under which another customer is known."""


class CurrencyMismatch(
    Struct, frozen=True, kw_only=True, tag_field="code", tag="currency_mismatch"
):
    """A transfer to a wallet of another currency."""


class SameWallet(Struct, frozen=True, kw_only=True, tag_field="code", tag="same_wallet"):
    """A transfer from a wallet to itself, or a close into it."""


class ExpiryNotAhead(Struct, frozen=True, kw_only=True, tag_field="code", tag="expiry_not_ahead"):
    """A credit or a hold that was to end at a moment that has passed."""


class TooManyLots(Struct, frozen=True, kw_only=True, tag_field="code", tag="too_many_lots"):
    """Expiring money of more different moments than a wallet keeps apart."""

    limit: int


class TooManyHolds(Struct, frozen=True, kw_only=True, tag_field="code", tag="too_many_holds"):
    """More open holds than a wallet may have."""

    limit: int


class TooManyHeldLots(
    Struct, frozen=True, kw_only=True, tag_field="code", tag="too_many_held_lots"
):
    """A hold that would make a wallet's open holds set aside parts of more lots than they may."""

    limit: int


class HoldUnknown(Struct, frozen=True, kw_only=True, tag_field="code", tag="hold_not_found"):
    """No such hold, or another tenant's, which is the same."""


class HoldNotOpen(Struct, frozen=True, kw_only=True, tag_field="code", tag="hold_not_open"):
    """The hold is over: captured, voided or expired."""

    hold_id: HoldId


class CaptureExceedsHold(
    Struct, frozen=True, kw_only=True, tag_field="code", tag="capture_exceeds_hold"
):
    """A capture of more than the hold still sets aside."""

    amount: int
    held: int


class TopupUnknown(Struct, frozen=True, kw_only=True, tag_field="code", tag="topup_not_found"):
    """No such top-up, or another tenant's, which is the same."""


class TopupNotPending(Struct, frozen=True, kw_only=True, tag_field="code", tag="topup_not_pending"):
    """The top-up is over: paid, cancelled or expired."""

    topup_id: TopupId


class TooManyTopups(Struct, frozen=True, kw_only=True, tag_field="code", tag="too_many_topups"):
    """More pending top-ups than a wallet may have."""

    limit: int


class TopupAlreadyPaid(
    Struct, frozen=True, kw_only=True, tag_field="code", tag="topup_already_paid"
):
    """A second payment for a top-up that was paid before: it is kept as unapplied."""

    topup_id: TopupId


class PaymentMismatch(Struct, frozen=True, kw_only=True, tag_field="code", tag="payment_mismatch"):
    """A payment of another amount or currency than was asked for: it is kept as unapplied."""

    amount: Amount
    currency: CurrencyCode
    """What was asked for."""


class TransactionUnknown(
    Struct, frozen=True, kw_only=True, tag_field="code", tag="transaction_not_found"
):
    """No such transaction, or another tenant's, which is the same."""


class NotReversible(Struct, frozen=True, kw_only=True, tag_field="code", tag="not_reversible"):
    """A transaction that is none to be reversed: an expiry, a reversal, a top-up, a decline."""

    transaction_id: TransactionId


class ReversalExceedsTransaction(
    Struct, frozen=True, kw_only=True, tag_field="code", tag="reversal_exceeds_transaction"
):
    """Reversals that would come to more than the transaction."""

    amount: int
    reversible: int


class WalletInactive(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="code", tag="wallet_inactive"
):
    """Money in or out of a tier-three wallet that no review has approved.

    `wallet_id` as in `WalletFrozen`.
    """

    wallet_id: WalletId | None = None


class TierLimitExceeded(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="code",
    tag="tier_limit_exceeded",
):
    """More than the customer's tier allows: `limit_name` says of what, `limit` how much."""

    limit_name: LimitName
    limit: int
    amount: int
    """What was to move."""
    tier: Tier
    wallet_id: WalletId | None = None
    """As in `WalletFrozen`."""


class IdentityTaken(Struct, frozen=True, kw_only=True, tag_field="code", tag="identity_taken"):
    """The person is a customer already, under another customer id."""

    customer_id: CustomerId
    """Whose it is: for whoever asked on the person's behalf, never for a client."""


class TierNotRaised(Struct, frozen=True, kw_only=True, tag_field="code", tag="tier_not_raised"):
    """A tier that is not above the wallet's, or a wallet whose customer is not known."""


class ReviewNotPending(
    Struct, frozen=True, kw_only=True, tag_field="code", tag="review_not_pending"
):
    """The wallet waits for no review: it never did, or it was reviewed before."""


class BatchDeclined(Struct, frozen=True, kw_only=True, tag_field="code", tag="batch_declined"):
    """Another command of an atomic batch was declined, so this one was not applied."""

    index: int
    """Which one, counted from 0."""


Rejection = (
    InsufficientFunds
    | WalletFrozen
    | WalletClosed
    | WalletNotEmpty
    | WalletExists
    | WalletUnknown
    | ReferenceReused
    | BalanceLimitExceeded
    | CustomerIdConflict
    | CurrencyMismatch
    | SameWallet
    | ExpiryNotAhead
    | TooManyLots
    | TooManyHolds
    | TooManyHeldLots
    | HoldUnknown
    | HoldNotOpen
    | CaptureExceedsHold
    | TopupUnknown
    | TopupNotPending
    | TooManyTopups
    | TopupAlreadyPaid
    | PaymentMismatch
    | TransactionUnknown
    | NotReversible
    | ReversalExceedsTransaction
    | WalletInactive
    | TierLimitExceeded
    | IdentityTaken
    | TierNotRaised
    | ReviewNotPending
    | BatchDeclined
)

REJECTION_TYPES: tuple[type[Rejection], ...] = (
    InsufficientFunds,
    WalletFrozen,
    WalletClosed,
    WalletNotEmpty,
    WalletExists,
    WalletUnknown,
    ReferenceReused,
    BalanceLimitExceeded,
    CustomerIdConflict,
    CurrencyMismatch,
    SameWallet,
    ExpiryNotAhead,
    TooManyLots,
    TooManyHolds,
    TooManyHeldLots,
    HoldUnknown,
    HoldNotOpen,
    CaptureExceedsHold,
    TopupUnknown,
    TopupNotPending,
    TooManyTopups,
    TopupAlreadyPaid,
    PaymentMismatch,
    TransactionUnknown,
    NotReversible,
    ReversalExceedsTransaction,
    WalletInactive,
    TierLimitExceeded,
    IdentityTaken,
    TierNotRaised,
    ReviewNotPending,
    BatchDeclined,
)


def code_of(rejection: Rejection) -> str:
    """The stable code, as events, HTTP and Kafka spell it."""
    code = type(rejection).__struct_config__.tag
    assert isinstance(code, str)
    return code
