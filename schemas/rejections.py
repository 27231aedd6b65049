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
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="code",
    tag="insufficient_funds",
):
    """The debit is more than what is available.

    `wallet_id` names a transfer's other wallet where that is the reason.
    """

    amount: int
    available: int
    wallet_id: WalletId | None = None


class WalletFrozen(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="code", tag="wallet_frozen"
):
    """The wallet's freeze stops this.

    `wallet_id` names a transfer's other wallet where that is the reason.
    """

    wallet_id: WalletId | None = None


class WalletClosed(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="code", tag="wallet_closed"
):
    """The wallet is closed, and the command is not a repeated close.

    `wallet_id` names a transfer's other wallet where that is the reason.
    """

    wallet_id: WalletId | None = None


class WalletNotEmpty(Struct, frozen=True, kw_only=True, tag_field="code", tag="wallet_not_empty"):
    """The close does not say what happens to the remaining money."""

    balance: int


class WalletExists(Struct, frozen=True, kw_only=True, tag_field="code", tag="wallet_exists"):
    """The customer already has an open wallet in this currency: `wallet_id`."""

    wallet_id: WalletId


class WalletUnknown(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="code", tag="wallet_not_found"
):
    """No such wallet, or it is another tenant's; if two are named, `wallet_id` says which."""

    wallet_id: WalletId | None = None


class ReferenceReused(Struct, frozen=True, kw_only=True, tag_field="code", tag="reference_reused"):
    """The reference or command id was used before for something else."""

    what: Literal["reference", "idempotency_key"]


class BalanceLimitExceeded(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="code",
    tag="balance_limit_exceeded",
):
    """The balance, or the debt, would exceed what every JSON client reads exactly.

    `wallet_id` names a transfer's other wallet where that is the reason.
    """

    amount: int
    balance: int
    limit: int
    wallet_id: WalletId | None = None


class CustomerIdConflict(
    Struct, frozen=True, kw_only=True, tag_field="code", tag="customer_id_conflict"
):
    """The customer id is the UUID by which another customer is known."""


class CurrencyMismatch(
    Struct, frozen=True, kw_only=True, tag_field="code", tag="currency_mismatch"
):
    """The transfer goes to a wallet of another currency."""


class SameWallet(Struct, frozen=True, kw_only=True, tag_field="code", tag="same_wallet"):
    """The transfer, or the close, names the same wallet twice."""


class ExpiryNotAhead(Struct, frozen=True, kw_only=True, tag_field="code", tag="expiry_not_ahead"):
    """`expires_at` of the credit or the hold is in the past."""


class TooManyLots(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="code", tag="too_many_lots"
):
    """The wallet's expiring money would have more different moments than it keeps apart.

    `wallet_id` names a transfer's other wallet where that is the reason.
    """

    limit: int
    wallet_id: WalletId | None = None


class TooManyHolds(Struct, frozen=True, kw_only=True, tag_field="code", tag="too_many_holds"):
    """The wallet already has as many open holds as it may have."""

    limit: int


class TooManyHeldLots(
    Struct, frozen=True, kw_only=True, tag_field="code", tag="too_many_held_lots"
):
    """With this hold, the wallet's open holds would set aside parts of too many lots."""

    limit: int


class HoldUnknown(Struct, frozen=True, kw_only=True, tag_field="code", tag="hold_not_found"):
    """No such hold, or it is another tenant's."""


class HoldNotOpen(Struct, frozen=True, kw_only=True, tag_field="code", tag="hold_not_open"):
    """The hold is over: captured, voided or expired."""

    hold_id: HoldId


class CaptureExceedsHold(
    Struct, frozen=True, kw_only=True, tag_field="code", tag="capture_exceeds_hold"
):
    """The capture is more than the hold still sets aside."""

    amount: int
    held: int


class TopupUnknown(Struct, frozen=True, kw_only=True, tag_field="code", tag="topup_not_found"):
    """No such top-up, or it is another tenant's."""


class TopupNotPending(Struct, frozen=True, kw_only=True, tag_field="code", tag="topup_not_pending"):
    """The top-up is over: paid, cancelled or expired."""

    topup_id: TopupId


class TooManyTopups(Struct, frozen=True, kw_only=True, tag_field="code", tag="too_many_topups"):
    """The wallet already has as many pending top-ups as it may have."""

    limit: int


class TopupAlreadyPaid(
    Struct, frozen=True, kw_only=True, tag_field="code", tag="topup_already_paid"
):
    """A second payment for a top-up that was already paid: it is kept as unapplied."""

    topup_id: TopupId


class PaymentMismatch(Struct, frozen=True, kw_only=True, tag_field="code", tag="payment_mismatch"):
    """The payment's amount or currency is not the top-up's: it is kept as unapplied."""

    amount: Amount
    currency: CurrencyCode
    """What was asked for."""


class TransactionUnknown(
    Struct, frozen=True, kw_only=True, tag_field="code", tag="transaction_not_found"
):
    """No such transaction, or it is another tenant's."""


class NotReversible(Struct, frozen=True, kw_only=True, tag_field="code", tag="not_reversible"):
    """The transaction cannot be reversed: an expiry, a reversal, a top-up, a decline."""

    transaction_id: TransactionId


class ReversalExceedsTransaction(
    Struct, frozen=True, kw_only=True, tag_field="code", tag="reversal_exceeds_transaction"
):
    """The reversals would add up to more than the transaction."""

    amount: int
    reversible: int


class WalletInactive(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="code", tag="wallet_inactive"
):
    """No money moves in or out of a tier-three wallet until a review approves it.

    `wallet_id` names a transfer's other wallet where that is the reason.
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
    """More than the customer's tier allows: `limit_name` names the limit, `limit` its amount."""

    limit_name: LimitName
    limit: int
    amount: int
    """The amount of the refused movement."""
    tier: Tier
    wallet_id: WalletId | None = None
    """A transfer's other wallet, where that is the reason."""


class IdentityTaken(Struct, frozen=True, kw_only=True, tag_field="code", tag="identity_taken"):
    """The person is already a customer, under another customer id."""

    customer_id: CustomerId
    """The existing customer: for the caller that checks the person, never for a client."""


class TierNotRaised(Struct, frozen=True, kw_only=True, tag_field="code", tag="tier_not_raised"):
    """The tier is not above the wallet's, or the wallet's customer is not known."""


class ReviewNotPending(
    Struct, frozen=True, kw_only=True, tag_field="code", tag="review_not_pending"
):
    """The wallet does not wait for a review: it never did, or it was already reviewed."""


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
