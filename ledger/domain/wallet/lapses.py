"""What ends by itself: lots that lapse, holds and top-ups that expire. Decided before all else.

What a sweep comes to must not depend on when it came, so everything goes by its own moment.
"""

from datetime import datetime

from ledger.domain.wallet.decision import after
from ledger.domain.wallet.holds import released
from ledger.domain.wallet.lots import expiring, without
from ledger.domain.wallet.state import Wallet
from ledger.domain.wallet.topups import ended
from schemas.events import CreditLapsed, LotAmount, WalletEvent


def due(wallet: Wallet, now: datetime) -> tuple[WalletEvent, ...]:
    """What is due at this moment: first the holds, since what they free may be due as well."""
    if wallet.next_due is None or wallet.next_due > now:
        return ()
    events: tuple[WalletEvent, ...] = ()
    over = [
        (hold.expires_at, hold_id)
        for hold_id, hold in wallet.holds.items()
        if hold.expires_at is not None and hold.expires_at <= now
    ]
    for _, hold_id in sorted(over):
        event = released(wallet, hold_id, "expired")
        wallet = after(wallet, (event,), now)
        events = (*events, event)
    unpaid = [
        (topup.expires_at, topup_id)
        for topup_id, topup in wallet.topups.items()
        if topup.expires_at <= now
    ]
    expired = tuple(ended(wallet, topup_id, "expired") for _, topup_id in sorted(unpaid))
    wallet = after(wallet, expired, now)
    events = (*events, *expired)
    for lot in wallet.lots:
        if lot.expires_at is None or lot.expires_at > now:
            break
        lapse = _lapse(wallet, lot, lot.expires_at)
        wallet = after(wallet, (lapse,), now)
        events = (*events, lapse)
    return events


def _lapse(wallet: Wallet, lot: LotAmount, expires_at: datetime) -> CreditLapsed:
    return CreditLapsed(
        amount=lot.amount,
        balance_before=wallet.balance,
        balance_after=wallet.balance - lot.amount,
        available_after=wallet.available - lot.amount,
        expiring_after=expiring(without(wallet.lots, (lot,))),
        currency=wallet.currency,
        expires_at=expires_at,
    )
