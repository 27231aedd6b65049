"""What a wallet's rules need to know of its past, and nothing that they do not."""

from datetime import datetime

from msgspec import Raw, Struct

from schemas.results import WalletStatus


class Wallet(Struct, frozen=True, kw_only=True, gc=False):
    """One wallet after `version` events. Balances in minor units.

    `available` is what can be spent; it is the balance less what is held.
    """

    wallet_id: str
    customer_id: str
    user_id: str
    currency: str
    status: WalletStatus
    balance: int
    available: int
    opened_at: datetime
    changed_at: datetime
    metadata: Raw
    version: int


INITIAL: Wallet | None = None
"""The state before the first event: there is no wallet."""

STATE_VERSION = 1
"""The shape of `Wallet`. A snapshot of another shape is not read; raise it with every change."""
