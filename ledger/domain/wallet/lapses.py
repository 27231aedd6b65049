"""What ends by itself: lots that lapse, holds and top-ups that expire. Decided first.

The result must not depend on when this runs, so each lot or hold uses its own moment.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import zip_longest

from ledger.domain.wallet.holds import released
from ledger.domain.wallet.lots import total
from ledger.domain.wallet.state import Wallet
from ledger.domain.wallet.topups import ended
from schemas.events import CreditLapsed, Expiring, LotAmount, WalletEvent


def due(wallet: Wallet, now: datetime) -> tuple[WalletEvent, ...]:
    """What is due at this moment: first the holds, since what they free may be due as well."""
    if wallet.next_due is None or wallet.next_due > now:
        return ()
    over = [
        (hold.expires_at, hold_id)
        for hold_id, hold in wallet.holds.items()
        if hold.expires_at is not None and hold.expires_at <= now
    ]
    releases, freed = released(wallet, [hold_id for _, hold_id in sorted(over)], "expired")
    unpaid = [
        (topup.expires_at, topup_id)
        for topup_id, topup in wallet.topups.items()
        if topup.expires_at <= now
    ]
    unpaid_ends = (ended(freed, topup_id, "expired") for _, topup_id in sorted(unpaid))
    return (*releases, *unpaid_ends, *_lapses(freed, now))


def _lapses(wallet: Wallet, now: datetime) -> Iterator[CreditLapsed]:
    """One event for each lot that is due, in one pass: there may be a thousand of them."""
    balance, available, left = wallet.balance, wallet.available, total(wallet.lots)
    for lot, following in zip_longest(wallet.lots, wallet.lots[1:]):
        if lot.expires_at is None or lot.expires_at > now:
            return
        left -= lot.amount
        yield CreditLapsed(
            amount=lot.amount,
            balance_before=balance,
            balance_after=balance - lot.amount,
            available_after=available - lot.amount,
            expiring_after=_expiring(left, following),
            currency=wallet.currency,
            expires_at=lot.expires_at,
        )
        balance -= lot.amount
        available -= lot.amount


def _expiring(left: int, first: LotAmount | None) -> Expiring | None:
    if first is None:
        return None
    assert first.expires_at is not None, "a wallet lists only what lapses"
    return Expiring(amount=left, next_at=first.expires_at, next_amount=first.amount)
