"""A decision: what a wallet answers to a command, and what it needed to know for it."""

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
    """A payment that has come for a top-up: into the wallet, or kept as unapplied."""

    payment_id: str
    is_applied: bool


class Facts(Struct, frozen=True, kw_only=True, gc=False):
    """What a rule needs that the wallet's own state does not hold."""

    user_id: str = ""
    """Of a create: the UUID under which the customer is known."""
    open_wallet_id: str | None = None
    """Of a create: the customer's open wallet in that currency."""
    user_id_owner: str | None = None
    """Of a create: the customer id that has this user id already."""
    event_id: str = ""
    """The id that the event which answers the command will have, as 32 hexadecimal digits."""
    other_event_id: str = ""
    """The same of the other wallet's event."""
    other: Wallet | None = None
    """The other wallet: of a transfer, of a close into it, of a transfer's reversal."""
    original: WalletEvent | None = None
    """What is named: a capture's hold, a reversal's transaction, a completion's top-up."""
    reversed_amount: int = 0
    """How much of the original is reversed already."""
    payments: tuple[Payment, ...] = ()
    """Of a completion: the top-up's applied payment, and this one if it was told before."""
    limits: TierLimits | None = None
    """Of a wallet that has a tier, as the next two."""
    day: date | None = None
    """The date in the ledger's time zone."""
    other_limits: TierLimits | None = None
    """The limits of the other wallet."""
    identity_owner: str | None = None
    """Of an enrolment: the customer id under which the person is known already."""
    next_serial: int | None = None
    """Of an enrolment or an approval: the serial of the next account number."""


class Decision(Struct, frozen=True, gc=False):
    """The events to append, and why the command was refused, if it was.

    `answer` is the event that the command's outcome follows from; without one the outcome is
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
    """Refused for the wallet's state, which is a fact."""
    return Decision((event,), rejection, event)


def after(wallet: Wallet, events: tuple[WalletEvent, ...], now: datetime) -> Wallet:
    """The wallet as these events of this moment will leave it."""
    for event in events:
        wallet = evolve(
            wallet, event, wallet_id=wallet.wallet_id, version=wallet.version + 1, at=now
        )
    return wallet
