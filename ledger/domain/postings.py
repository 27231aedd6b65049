"""Double entry: the balanced postings that every money event implies.

A pure function of the event. Debits are positive, credits negative, so a journal entry
balances when its amounts add up to zero. Customer wallets are liabilities: what the
merchant owes the customer rises by a credit posting.
"""

from typing import Literal, assert_never

from msgspec import Struct

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
)

Account = Literal[
    "customer_wallet",
    "merchant",
    "expired_credits",
    "transfers_in_transit",
    "provider_clearing",
    "unapplied_payments",
]
"""`provider_clearing` is what the payment provider has taken in and still owes the merchant."""


class Posting(Struct, frozen=True, kw_only=True, gc=False):
    """One leg: which account, and by how much in minor units (debit > 0, credit < 0)."""

    account: Account
    amount: int
    currency: str


def postings(event: WalletEvent) -> tuple[Posting, ...]:  # noqa: C901 - one line for each entry
    """The journal entry of an event; empty where no money moved, as by a hold.

    Each leg of a transfer posts against what is in transit, so that every event balances
    alone; both are in one append, so nothing is ever in transit between two appends.
    """
    match event:
        case WalletCredited():
            return _entry("merchant", "customer_wallet", event.amount, event.currency)
        case WalletDebited() | HoldCaptured() | BalanceForfeited():
            return _entry("customer_wallet", "merchant", event.amount, event.currency)
        case CreditLapsed():
            return _entry("customer_wallet", "expired_credits", event.amount, event.currency)
        case WalletToppedUp():
            return _entry("provider_clearing", "customer_wallet", event.amount, event.currency)
        case TopupUnapplied():
            return _entry("provider_clearing", "unapplied_payments", event.amount, event.currency)
        case TransferSent():
            return _entry("customer_wallet", "transfers_in_transit", event.amount, event.currency)
        case TransferReceived():
            return _entry("transfers_in_transit", "customer_wallet", event.amount, event.currency)
        case DebitReversed():
            against: Account = "merchant" if event.transfer_id is None else "transfers_in_transit"
            return _entry(against, "customer_wallet", event.amount, event.currency)
        case CreditReversed():
            against = "merchant" if event.transfer_id is None else "transfers_in_transit"
            return _entry("customer_wallet", against, event.amount, event.currency)
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
            | TierRaised()
            | WalletReviewed()
            | CustomerErased()
            | IdentityDeclined()
        ):
            return ()
        case _:
            assert_never(event)


def _entry(debited: Account, credited: Account, amount: int, currency: str) -> tuple[Posting, ...]:
    return (
        Posting(account=debited, amount=amount, currency=currency),
        Posting(account=credited, amount=-amount, currency=currency),
    )
