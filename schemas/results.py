"""Results: what a command came to. The same values answer over HTTP and over Kafka.

Some have another name over HTTP, or are in one of the two only: a table of
docs/reference/kafka.md has them.

A result is a pure function of what was recorded, so a replay is equal byte for byte.
"""

from datetime import datetime
from typing import Literal

from msgspec import Raw, Struct

from schemas.commands import NO_METADATA, FreezeScope
from schemas.events.wallet import Expiring
from schemas.identifiers import AccountNumber, BankCode
from schemas.identity import Review, SealedText
from schemas.rejections import Rejection
from schemas.tiers import Tier

TransactionType = Literal["topup", "debit", "credit", "expiry"]
TransactionKind = Literal[
    "debit", "credit", "expiry", "capture", "transfer", "reversal", "forfeiture", "hold", "topup"
]
"""What moved the money; `hold` only where a hold was declined."""
HoldStatus = Literal["open", "captured", "voided", "expired"]
TopupStatus = Literal["pending", "completed", "cancelled", "expired", "unapplied"]
"""`unapplied`: a payment has come, and the wallet could not take it."""
WalletStatus = Literal["active", "frozen", "closed"]


class WalletView(Struct, frozen=True, kw_only=True, gc=False):
    """A wallet as it stood at `version`. Balances in minor units; held is their difference.

    One that waits for its review, or was rejected by it, shows as frozen for all; `review`
    tells the two apart.
    """

    id: str
    customer_id: str
    user_id: str
    currency: str
    balance: int
    available_balance: int
    status: WalletStatus
    created_at: datetime
    updated_at: datetime
    version: int
    frozen: FreezeScope | None = None
    """What a freeze has stopped."""
    expiring: Expiring | None = None
    metadata: Raw = NO_METADATA
    tier: Tier | None = None
    """How well the customer is known; none where nobody has asked."""
    review: Review | None = None
    bank_code: BankCode | None = None
    account_number: AccountNumber | None = None
    kyc_updated: bool = False
    """Whether the customer is known better than when the wallet was opened."""
    is_erased: bool = False
    """Whether it was forgotten who the customer is."""
    identity: SealedText | None = None
    """Only a read model has it, and only while the customer is not erased."""


class TransactionView(Struct, frozen=True, kw_only=True, gc=False):
    """One movement of money, or one that was declined (`status` failed, `code` says why)."""

    id: str
    wallet_id: str
    type: TransactionType
    kind: TransactionKind
    status: Literal["completed", "failed"]
    amount: int
    balance_before: int
    balance_after: int
    available_balance: int
    currency: str
    reference: str | None
    description: str | None
    code: str | None
    created_at: datetime
    version: int
    expires_at: datetime | None = None
    """Of a credit: when what is left of it lapses. Of an expiry: the moment that came."""
    hold_id: str | None = None
    """Of a capture."""
    held_after: int | None = None
    """Of a capture: what its hold still sets aside."""
    transfer_id: str | None = None
    other_wallet_id: str | None = None
    """Of a transfer: where the money came from or went. Its reversal names the transfer."""
    reverses: str | None = None
    """Of a reversal: the transaction that it undoes."""
    topup_id: str | None = None
    payment_id: str | None = None
    """Of a top-up: the provider's name for its payment."""
    metadata: Raw = NO_METADATA


class HoldView(Struct, frozen=True, kw_only=True, gc=False):
    """Money set aside. `amount` is what was asked for; captured and held are parts of it."""

    id: str
    wallet_id: str
    status: HoldStatus
    amount: int
    captured_amount: int
    held_amount: int
    currency: str
    reference: str
    description: str
    expires_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int
    """The wallet's stream version when the hold was as shown."""
    metadata: Raw = NO_METADATA


class TransferView(Struct, frozen=True, kw_only=True, gc=False):
    """Money that went from one wallet to another, both legs at once."""

    id: str
    from_wallet_id: str
    to_wallet_id: str
    amount: int
    currency: str
    reference: str | None
    description: str
    sent_transaction_id: str
    received_transaction_id: str
    created_at: datetime
    metadata: Raw = NO_METADATA


class TopupView(Struct, frozen=True, kw_only=True, gc=False):
    """A payment into a wallet that was asked for, and what became of it."""

    id: str
    wallet_id: str
    status: TopupStatus
    amount: int
    currency: str
    reference: str
    description: str
    redirect_url: str
    cancel_url: str | None
    expires_at: datetime
    created_at: datetime
    updated_at: datetime
    version: int
    """The wallet's stream version when the top-up was as shown."""
    transaction_id: str | None = None
    """The transaction that the payment is: a failed one, if it is unapplied."""
    payment_id: str | None = None
    code: str | None = None
    """Why a payment could not be applied."""
    metadata: Raw = NO_METADATA


class CommandResult(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """The outcome of one command: what it made or changed, or a rejection."""

    status: Literal["accepted", "declined"]
    wallet: WalletView | None = None
    transaction: TransactionView | None = None
    hold: HoldView | None = None
    transfer: TransferView | None = None
    topup: TopupView | None = None
    rejection: Rejection | None = None
    position: int | None = None
    """Where the log holds it; none where nothing was appended."""
    version: int | None = None
    """The wallet's stream version after the command."""


class RejectedMessage(Struct, frozen=True, kw_only=True):
    """What `ledger.commands.rejected` says of a message that could not be read.

    It names the message by where it stands and by its SHA-256, never by its bytes.
    """

    topic: str
    partition: int
    offset: int
    reason: str
    detail: str
    sha256: str
