"""What an event does to a wallet. Total over all events, and it checks what they claim."""

from datetime import datetime
from typing import assert_never

from ledger.domain.wallet.state import Wallet
from schemas.events import (
    BalanceForfeited,
    ChangeDeclined,
    CreditDeclined,
    DebitDeclined,
    WalletClosed,
    WalletCredited,
    WalletDebited,
    WalletEvent,
    WalletFrozen,
    WalletOpened,
    WalletUnfrozen,
)
from schemas.results import WalletStatus


def evolve(
    wallet: Wallet | None, event: WalletEvent, *, wallet_id: str, version: int, at: datetime
) -> Wallet:
    """The wallet after one more event, which must be the next of its stream.

    An event that contradicts the state is a broken log, not a refusal: it asserts.
    """
    if isinstance(event, WalletOpened):
        assert wallet is None, f"{wallet_id} was opened twice"
        assert version == 1, f"{wallet_id} was opened by event {version}"
        return Wallet(
            wallet_id=wallet_id,
            customer_id=event.customer_id,
            user_id=event.user_id,
            currency=event.currency,
            status="active",
            balance=0,
            available=0,
            opened_at=at,
            changed_at=at,
            metadata=event.metadata.copy(),
            version=1,
        )
    assert wallet is not None, f"{wallet_id} has event {version} but was never opened"
    assert version == wallet.version + 1, f"{wallet_id}: {version} follows {wallet.version}"
    match event:
        case WalletDebited() | BalanceForfeited():
            assert event.balance_before - event.amount == event.balance_after
            return _moved(wallet, event, version, at)
        case WalletCredited():
            assert event.balance_before + event.amount == event.balance_after
            return _moved(wallet, event, version, at)
        case WalletFrozen():
            return _with_status(wallet, "frozen", version, at)
        case WalletUnfrozen():
            return _with_status(wallet, "active", version, at)
        case WalletClosed():
            assert wallet.balance == 0, f"{wallet_id} was closed holding {wallet.balance}"
            return _with_status(wallet, "closed", version, at)
        case DebitDeclined() | CreditDeclined() | ChangeDeclined():
            return _next(wallet, wallet.status, wallet.balance, version, wallet.changed_at)
        case _:
            assert_never(event)


def _moved(
    wallet: Wallet,
    event: WalletCredited | WalletDebited | BalanceForfeited,
    version: int,
    at: datetime,
) -> Wallet:
    assert event.balance_before == wallet.balance, (
        f"{wallet.wallet_id}: event {version} starts at {event.balance_before}, "
        f"the wallet holds {wallet.balance}"
    )
    moved = _next(wallet, wallet.status, event.balance_after, version, at)
    assert event.available_after == moved.available, f"{wallet.wallet_id}: event {version}"
    return moved


def _with_status(wallet: Wallet, status: WalletStatus, version: int, at: datetime) -> Wallet:
    return _next(wallet, status, wallet.balance, version, at)


def _next(
    wallet: Wallet, status: WalletStatus, balance: int, version: int, changed_at: datetime
) -> Wallet:
    return Wallet(
        wallet_id=wallet.wallet_id,
        customer_id=wallet.customer_id,
        user_id=wallet.user_id,
        currency=wallet.currency,
        status=status,
        balance=balance,
        available=balance,
        opened_at=wallet.opened_at,
        changed_at=changed_at,
        metadata=wallet.metadata,
        version=version,
    )
