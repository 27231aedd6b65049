"""Double entry: the balanced postings that every money event implies.

A pure function of the event. Debits are positive, credits negative, so a journal entry
balances when its amounts add up to nought. Customer wallets are liabilities: what the
merchant owes the customer rises by a credit posting.
"""

from typing import Literal

from msgspec import Struct

from schemas.events import BalanceForfeited, WalletCredited, WalletDebited, WalletEvent

Account = Literal["customer_wallet", "merchant"]


class Posting(Struct, frozen=True, kw_only=True, gc=False):
    """One leg: which account, and by how much in minor units (debit > 0, credit < 0)."""

    account: Account
    amount: int
    currency: str


def postings(event: WalletEvent) -> tuple[Posting, ...]:
    """The journal entry of an event; empty where no money moved."""
    match event:
        case WalletCredited():
            return _entry("merchant", "customer_wallet", event.amount, event.currency)
        case WalletDebited() | BalanceForfeited():
            return _entry("customer_wallet", "merchant", event.amount, event.currency)
        case _:
            return ()


def _entry(debited: Account, credited: Account, amount: int, currency: str) -> tuple[Posting, ...]:
    return (
        Posting(account=debited, amount=amount, currency=currency),
        Posting(account=credited, amount=-amount, currency=currency),
    )
