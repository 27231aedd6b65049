"""A decision: how a wallet answers a command, and the facts that it needs for that."""

from datetime import date, datetime

from msgspec import Struct

from ledger.domain.wallet.evolve import evolve
from ledger.domain.wallet.state import Wallet
from schemas.events import (
    WalletEvent,
)
from schemas.rejections import Rejection
from schemas.tiers import TierLimits


class Payment(Struct, frozen=True, kw_only=True, gc=False):
    """A payment that arrived for a top-up: credited to the wallet, or kept as unapplied."""

    payment_id: str
    is_applied: bool


class Facts(Struct, frozen=True, kw_only=True, gc=False):
    """What a rule needs but the wallet's own state does not hold."""

    user_id: str = ""
    """For a create: the UUID by which the customer is known."""
    open_wallet_id: str | None = None
    """For a create: the customer's open wallet in that currency."""
    user_id_owner: str | None = None
    """For a create: the customer id that already has this user id."""
    event_id: str = ""
    """The id that the event which answers the command will have, as 32 hexadecimal digits."""
    other_event_id: str = ""
    """The same for the other wallet's event."""
    other: Wallet | None = None
    """The other wallet: of a transfer, of a close into it, of a transfer's reversal."""
    original: WalletEvent | None = None
    """What the command names: a hold to capture, a transaction to reverse, a top-up to complete."""
    reversed_amount: int = 0
    """How much of the original is already reversed."""
    payments: tuple[Payment, ...] = ()
    """For a completion: the top-up's applied payment, and this one if it was reported before."""
    limits: TierLimits | None = None
    """Only for a wallet that has a tier, like the next two."""
    day: date | None = None
    """The date in the ledger's time zone."""
    other_limits: TierLimits | None = None
    """The limits of the other wallet."""
    identity_owner: str | None = None
    """For an enrolment: the customer id under which the person is already known."""
    next_serial: int | None = None
    """For an enrolment or an approval: the serial of the next account number."""


class Decision(Struct, frozen=True, gc=False):
    """The events to append, and why the command was refused, if it was.

    `answer` is the event from which the command's outcome follows; without one the outcome is
    the wallet. `others` are events of the other wallet, to be appended after these.
    """

    events: tuple[WalletEvent, ...]
    rejection: Rejection | None = None
    answer: WalletEvent | None = None
    others: tuple[WalletEvent, ...] = ()


NO_FACTS = Facts()


def answered(event: WalletEvent, *others: WalletEvent) -> Decision:
    """Accepted, with this event of the wallet and these of the other."""
    return Decision((event,), answer=event, others=others)


def declined(event: WalletEvent, rejection: Rejection) -> Decision:
    """Refused because of the wallet's state; the refusal is a fact."""
    return Decision((event,), rejection, event)


def after(wallet: Wallet, events: tuple[WalletEvent, ...], now: datetime) -> Wallet:
    """The wallet after these events of this moment."""
    for event in events:
        wallet = evolve(
            wallet, event, wallet_id=wallet.wallet_id, version=wallet.version + 1, at=now
        )
    return wallet
