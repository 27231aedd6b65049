"""Events of a wallet: facts, past tense, never changed once published.

Money events state the balance that they lead to, so a subscriber needs no state
and every replay checks itself. Amounts are integers in the currency's minor unit.
`stream`, `version` and time stand in the envelope (`schemas.events.envelope`).
"""

from typing import Literal

from msgspec import Struct

from schemas.commands import (
    NO_METADATA,
    Description,
    FreezeScope,
    Metadata,
    Reason,
    RedirectUrl,
)
from schemas.events.identity import (
    CustomerErased,
    DayTotal,
    DeclineCode,
    IdentityDeclined,
    TierRaised,
    WalletReviewed,
)
from schemas.identifiers import (
    AccountNumber,
    BankCode,
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
from schemas.identity import LimitName, SealedText
from schemas.money import Amount, Balance, CurrencyCode
from schemas.tiers import Tier
from schemas.times import Moment


class LotAmount(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """So much of a wallet's money that lapses at one moment, or never."""

    amount: Amount
    expires_at: Moment | None = None


Lots = tuple[LotAmount, ...]
"""Money by when it lapses: soonest first, what never lapses last, no moment twice.

Empty stands for money that never lapses, as most is.
"""


class Expiring(Struct, frozen=True, kw_only=True, gc=False):
    """What of a wallet's available money will lapse: all of it together, and what is next."""

    amount: Amount
    next_at: Moment
    next_amount: Amount


class _Event(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What every event is; a field at its default is left out of the JSON."""


class _Movement(_Event, frozen=True, kw_only=True):
    """Money that entered or left the wallet, and what this led to."""

    amount: Amount
    balance_before: Balance
    balance_after: Balance
    available_after: Balance
    expiring_after: Expiring | None = None
    currency: CurrencyCode


class _ToldMovement(_Movement, frozen=True, kw_only=True):
    """A movement that a client asked for, with what it said of it."""

    reference: Reference
    description: Description
    metadata: Metadata = NO_METADATA


class WalletOpened(_Event, frozen=True, kw_only=True, tag="wallet.opened"):
    """The first event of every wallet. It has a tier if the customer's identity is known."""

    customer_id: CustomerId
    user_id: UserId
    currency: CurrencyCode
    metadata: Metadata = NO_METADATA
    tier: Tier | None = None
    identity: SealedText | None = None
    bank_code: BankCode | None = None
    account_number: AccountNumber | None = None
    review: Literal["pending"] | None = None
    """Until it is reviewed, no money enters or leaves, and there is no account number."""


class WalletCredited(_ToldMovement, frozen=True, kw_only=True, tag="wallet.credited"):
    """Money came in. Whatever remains of it at `expires_at` lapses."""

    expires_at: Moment | None = None


class WalletDebited(_ToldMovement, frozen=True, kw_only=True, tag="wallet.debited"):
    """Money went out, from these lots."""

    spent: Lots = ()
    day: DayTotal | None = None


class CreditLapsed(_Movement, frozen=True, kw_only=True, tag="wallet.credit_lapsed"):
    """A lot's moment came, and what remained of it left the wallet."""

    expires_at: Moment


class HoldPlaced(_Event, frozen=True, kw_only=True, tag="wallet.hold_placed"):
    """Money was set aside, out of these lots. The hold's id is this event's id."""

    hold_id: HoldId
    amount: Amount
    balance: Balance
    available_after: Balance
    expiring_after: Expiring | None = None
    currency: CurrencyCode
    reference: Reference
    description: Description
    allocated: Lots = ()
    expires_at: Moment | None = None
    metadata: Metadata = NO_METADATA
    day: DayTotal | None = None


class HoldCaptured(_ToldMovement, frozen=True, kw_only=True, tag="wallet.hold_captured"):
    """Held money went out, from these lots. A final capture also freed the rest: `released`.

    `reference` is the capture's own, or else the hold's.
    """

    hold_id: HoldId
    held_after: Balance
    """What this hold still sets aside; nothing: the hold is over."""
    released: Balance = 0
    returned: Lots = ()
    spent: Lots = ()


class HoldReleased(_Event, frozen=True, kw_only=True, tag="wallet.hold_released"):
    """What remained of a hold was freed and went back to these lots. The hold is over."""

    hold_id: HoldId
    cause: Literal["voided", "expired", "wallet_closed"]
    amount: Amount
    balance: Balance
    available_after: Balance
    expiring_after: Expiring | None = None
    currency: CurrencyCode
    returned: Lots = ()


class _Transfer(_Movement, frozen=True, kw_only=True):
    """One leg of a transfer. Both legs are in one append."""

    transfer_id: TransferId
    from_wallet_id: WalletId
    to_wallet_id: WalletId
    cause: Literal["transfer", "closing"] = "transfer"
    sent: Lots = ()
    """What went over, with its moments."""
    sent_transaction_id: TransactionId
    received_transaction_id: TransactionId
    reference: Reference | None = None
    description: Description = ""
    metadata: Metadata = NO_METADATA


class TransferSent(_Transfer, frozen=True, kw_only=True, tag="wallet.transfer_sent"):
    """Money went to another wallet. The transfer's id is this event's id."""

    day: DayTotal | None = None


class TransferReceived(_Transfer, frozen=True, kw_only=True, tag="wallet.transfer_received"):
    """Money came from another wallet."""


class DebitReversed(_ToldMovement, frozen=True, kw_only=True, tag="wallet.debit_reversed"):
    """Money that had gone out came back, into these lots."""

    transaction_id: TransactionId
    """What was reversed: a debit, a capture, or a transfer's way out."""
    reversed_after: Amount
    """How much of it is reversed by now."""
    returned: Lots = ()
    transfer_id: TransferId | None = None


class CreditReversed(_ToldMovement, frozen=True, kw_only=True, tag="wallet.credit_reversed"):
    """Money that had come in went out again, from these lots."""

    transaction_id: TransactionId
    """What was reversed: a credit, or a transfer's way in."""
    reversed_after: Amount
    """How much of it is reversed by now."""
    spent: Lots = ()
    transfer_id: TransferId | None = None


class _Declined(_Event, frozen=True, kw_only=True):
    """No money moved. `available` and `balance` are as they were."""

    code: DeclineCode
    amount: Amount
    balance: Balance
    available: Balance
    currency: CurrencyCode
    reference: Reference
    description: Description
    transaction_id: TransactionId | None = None
    """What was to be reversed."""
    wallet_id: WalletId | None = None
    """The other wallet of a transfer, if its state was the reason."""
    limit: int | None = None
    """What was left of the hold, left to reverse, or allowed."""
    limit_name: LimitName | None = None
    """Which limit of the tier it is."""
    tier: Tier | None = None
    metadata: Metadata = NO_METADATA


class DebitDeclined(_Declined, frozen=True, kw_only=True, tag="wallet.debit_declined"):
    """The wallet's state did not allow money to go out or to be set aside."""

    kind: Literal["debit", "hold", "capture", "transfer", "reversal"] = "debit"
    hold_id: HoldId | None = None


class CreditDeclined(_Declined, frozen=True, kw_only=True, tag="wallet.credit_declined"):
    """The wallet's state did not allow money to come in."""

    kind: Literal["credit", "reversal"] = "credit"


class TopupCreated(_Event, frozen=True, kw_only=True, tag="wallet.topup_created"):
    """A payment into the wallet was requested. The top-up's id is this event's id.

    `reference` is the caller's own, or else the top-up's id.
    """

    topup_id: TopupId
    amount: Amount
    currency: CurrencyCode
    redirect_url: RedirectUrl
    cancel_url: RedirectUrl | None = None
    expires_at: Moment
    reference: Reference
    description: Description
    metadata: Metadata = NO_METADATA


class WalletToppedUp(_ToldMovement, frozen=True, kw_only=True, tag="wallet.topped_up"):
    """A top-up was paid, and its money came in. Reference and metadata are the top-up's."""

    topup_id: TopupId
    payment_id: PaymentId


class TopupEnded(_Event, frozen=True, kw_only=True, tag="wallet.topup_ended"):
    """A top-up is no longer pending. A payment in progress may still arrive."""

    topup_id: TopupId
    cause: Literal["cancelled", "expired", "wallet_closed"]
    amount: Amount
    currency: CurrencyCode


class TopupUnapplied(_Declined, frozen=True, kw_only=True, tag="wallet.topup_unapplied"):
    """A payment arrived that the wallet cannot take. Amount and currency are the payment's.

    The money is in the account at the payment provider; the merchant settles it.
    """

    topup_id: TopupId
    payment_id: PaymentId
    asked_currency: CurrencyCode | None = None
    """The top-up's own, if the payment is in another one."""


class TopupDeclined(_Event, frozen=True, kw_only=True, tag="wallet.topup_declined"):
    """The wallet's state did not allow a top-up, or its cancellation."""

    change: Literal["create", "cancel"]
    code: DeclineCode
    amount: Amount
    balance: Balance
    currency: CurrencyCode
    topup_id: TopupId | None = None
    """Which one was to be cancelled."""
    reference: Reference | None = None
    limit: int | None = None
    """What is allowed."""
    limit_name: LimitName | None = None
    tier: Tier | None = None


class WalletFrozen(_Event, frozen=True, kw_only=True, tag="wallet.frozen"):
    """What the scope names is now stopped, in addition to what was stopped before."""

    scope: FreezeScope = "debits"
    reason: Reason | None = None


class WalletUnfrozen(_Event, frozen=True, kw_only=True, tag="wallet.unfrozen"):
    """Every freeze was lifted."""

    reason: Reason | None = None


class BalanceForfeited(_Movement, frozen=True, kw_only=True, tag="wallet.balance_forfeited"):
    """The remaining balance went to the merchant at closing, as the closing command said."""


class WalletClosed(_Event, frozen=True, kw_only=True, tag="wallet.closed"):
    """The wallet is closed for good, and empty."""


class ChangeDeclined(_Event, frozen=True, kw_only=True, tag="wallet.change_declined"):
    """The wallet's state did not allow a requested change."""

    change: Literal["freeze", "unfreeze", "close"]
    code: DeclineCode
    balance: Balance
    wallet_id: WalletId | None = None
    """The wallet that would receive the rest, if its state was the reason."""
    limit: int | None = None
    """As in a declined movement."""
    limit_name: LimitName | None = None
    tier: Tier | None = None
    decided_on: Balance | None = None
    """The balance that it was decided on, if that is not `balance`: the balance after the others of
    its batch, which were undone together with it, or what would remain once holds have ended."""


class VoidDeclined(_Event, frozen=True, kw_only=True, tag="wallet.void_declined"):
    """A hold could not be voided: it was already over, or its wallet was closed."""

    hold_id: HoldId
    code: DeclineCode
    balance: Balance


WalletEvent = (
    WalletOpened
    | WalletCredited
    | WalletDebited
    | DebitDeclined
    | CreditDeclined
    | CreditLapsed
    | HoldPlaced
    | HoldCaptured
    | HoldReleased
    | TransferSent
    | TransferReceived
    | DebitReversed
    | CreditReversed
    | TopupCreated
    | WalletToppedUp
    | TopupEnded
    | TopupUnapplied
    | TopupDeclined
    | WalletFrozen
    | WalletUnfrozen
    | BalanceForfeited
    | WalletClosed
    | ChangeDeclined
    | VoidDeclined
    | TierRaised
    | WalletReviewed
    | CustomerErased
    | IdentityDeclined
)
