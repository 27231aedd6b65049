"""Results: what a command came to. The same values answer over HTTP and over Kafka.

A result is a pure function of what was recorded, so a replay is equal byte for byte.
"""

from datetime import datetime
from typing import Literal

from msgspec import Raw, Struct

from schemas.commands import NO_METADATA
from schemas.rejections import Rejection

TransactionType = Literal["topup", "debit", "credit", "expiry"]
TransactionKind = Literal["debit", "credit", "forfeiture"]
WalletStatus = Literal["active", "frozen", "closed"]


class WalletView(Struct, frozen=True, kw_only=True, gc=False):
    """A wallet as it stood at `version`. Balances in minor units."""

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
    metadata: Raw = NO_METADATA


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
    metadata: Raw = NO_METADATA


class CommandResult(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """The outcome of one command: a wallet, a transaction or a rejection."""

    status: Literal["accepted", "declined"]
    wallet: WalletView | None = None
    transaction: TransactionView | None = None
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
