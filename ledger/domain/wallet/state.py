"""What a wallet's rules need to know of its past, and nothing else."""

from datetime import datetime

from msgspec import Raw, Struct, field

from schemas.commands import FreezeScope
from schemas.events import DayTotal, Lots
from schemas.identity import Review
from schemas.results import WalletStatus
from schemas.tiers import Tier

MAX_OPEN_LOTS = 1_000
MAX_OPEN_HOLDS = 1_000
MAX_HELD_LOTS = 10_000
"""In all open holds: one may take parts of a thousand lots, and open holds are kept in memory."""
MAX_PENDING_TOPUPS = 100


class OpenHold(Struct, frozen=True, kw_only=True, gc=False):
    """A hold that still sets money aside: how much, and out of which lots."""

    amount: int
    allocated: Lots
    expires_at: datetime | None
    reference: str


class PendingTopup(Struct, frozen=True, kw_only=True, gc=False):
    """A pending top-up: the requested amount, and until when it is pending."""

    amount: int
    expires_at: datetime


class Profile(Struct, frozen=True, kw_only=True, gc=False):
    """How well a wallet's customer is known, and what follows. The identity itself is not here."""

    tier: Tier | None
    """None if nothing but an erasure is known."""
    review: Review | None = None
    bank_code: str | None = None
    account_number: str | None = None
    day: DayTotal | None = None
    """The sum of the debits on the newest day that has any."""
    is_raised: bool = False
    is_erased: bool = False

    @property
    def is_inactive(self) -> bool:
        """Whether a review keeps money in and out."""
        return self.review in ("pending", "rejected")


class Wallet(Struct, frozen=True, kw_only=True, gc=False):
    """One wallet after `version` events. Balances in minor units.

    `available` is what can be spent: the balance less what is held. The part of it that is in
    no lot never lapses. Below zero it is a debt, and then there are no lots.
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
    frozen: FreezeScope | None = None
    lots: Lots = ()
    holds: dict[str, OpenHold] = field(default_factory=dict)
    topups: dict[str, PendingTopup] = field(default_factory=dict)
    next_due: datetime | None = None
    """When the next lot lapses, or the next hold or top-up ends by itself."""
    profile: Profile | None = None
    """Of a customer whose identity is known."""

    @property
    def is_inactive(self) -> bool:
        """Whether no money may enter or leave, until a review approves the wallet or for ever."""
        return self.profile is not None and self.profile.is_inactive

    @property
    def debits_stopped(self) -> bool:
        """Whether a freeze keeps money in."""
        return self.frozen in ("debits", "all")

    @property
    def credits_stopped(self) -> bool:
        """Whether a freeze keeps money out."""
        return self.frozen in ("credits", "all")


INITIAL: Wallet | None = None
"""The state before the first event: there is no wallet."""

STATE_VERSION = 4
"""The shape of `Wallet`. Snapshots of another shape are not read; raise it with every change."""
