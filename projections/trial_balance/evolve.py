"""Which entry of the journal an event is, if it moves money. Pure, and total over all events.

The chart of accounts stands here too. The write side has the same rule for its own purposes
(`ledger.domain.postings`); neither side knows the other, and a test compares them.
"""

from typing import Literal, assert_never, get_args

from msgspec import Struct

from projections.events import ProjectedEvent
from schemas.events import (
    BalanceForfeited,
    ChangeDeclined,
    CreditDeclined,
    CreditLapsed,
    CreditReversed,
    CustomerErased,
    DebitDeclined,
    DebitReversed,
    HoldCaptured,
    HoldPlaced,
    HoldReleased,
    IdentityDeclined,
    TierRaised,
    TopupCreated,
    TopupDeclined,
    TopupEnded,
    TopupUnapplied,
    TransferReceived,
    TransferSent,
    VoidDeclined,
    WalletClosed,
    WalletCredited,
    WalletDebited,
    WalletEvent,
    WalletFrozen,
    WalletOpened,
    WalletReviewed,
    WalletToppedUp,
    WalletUnfrozen,
    decode_event,
)

AccountName = Literal[
    "customer_wallet",
    "merchant",
    "provider_clearing",
    "unapplied_payments",
    "expired_credits",
    "transfers_in_transit",
]
CHART: tuple[AccountName, ...] = get_args(AccountName)
"""Every account that something is booked on, in the order in which they are shown."""


class Entry(Struct, frozen=True, kw_only=True, gc=False):
    """A journal entry: so much, debited to one account and credited to another."""

    debit: AccountName
    credit: AccountName
    amount: int
    """In minor units, above zero."""
    currency: str


def entry_of(recorded: ProjectedEvent) -> Entry | None:
    """The entry that an event is; None if it moved no money."""
    return entry_of_event(decode_event(recorded.type, recorded.schema_version, recorded.data))


def entry_of_event(event: WalletEvent) -> Entry | None:  # noqa: C901 - one line for each entry
    """The same, of an event that was decoded already."""
    match event:
        case WalletCredited():
            return _entry("merchant", "customer_wallet", event)
        case WalletToppedUp():
            return _entry("provider_clearing", "customer_wallet", event)
        case TopupUnapplied():
            return _entry("provider_clearing", "unapplied_payments", event)
        case WalletDebited() | HoldCaptured() | BalanceForfeited():
            return _entry("customer_wallet", "merchant", event)
        case CreditLapsed():
            return _entry("customer_wallet", "expired_credits", event)
        case TransferSent():
            return _entry("customer_wallet", "transfers_in_transit", event)
        case TransferReceived():
            return _entry("transfers_in_transit", "customer_wallet", event)
        case DebitReversed():
            return _entry(_reversed_against(event), "customer_wallet", event)
        case CreditReversed():
            return _entry("customer_wallet", _reversed_against(event), event)
        case (
            WalletOpened()
            | HoldPlaced()
            | HoldReleased()
            | TopupCreated()
            | TopupEnded()
            | WalletFrozen()
            | WalletUnfrozen()
            | WalletClosed()
            | DebitDeclined()
            | CreditDeclined()
            | TopupDeclined()
            | ChangeDeclined()
            | VoidDeclined()
            | IdentityDeclined()
            | TierRaised()
            | WalletReviewed()
            | CustomerErased()
        ):
            return None
        case _:
            assert_never(event)


Movement = (
    WalletCredited
    | WalletToppedUp
    | TopupUnapplied
    | WalletDebited
    | HoldCaptured
    | BalanceForfeited
    | CreditLapsed
    | TransferSent
    | TransferReceived
    | DebitReversed
    | CreditReversed
)


def _reversed_against(event: DebitReversed | CreditReversed) -> AccountName:
    """A leg of a transfer came by way of what is in transit, and goes back that way."""
    return "merchant" if event.transfer_id is None else "transfers_in_transit"


def _entry(debit: AccountName, credit: AccountName, event: Movement) -> Entry:
    return Entry(debit=debit, credit=credit, amount=event.amount, currency=event.currency)
