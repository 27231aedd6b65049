"""Opening, freezing and closing a wallet."""

from datetime import datetime
from typing import assert_never

from ledger.domain.wallet.decision import Decision, Facts, after
from ledger.domain.wallet.declines import declined_change
from ledger.domain.wallet.evolve import frozen_by
from ledger.domain.wallet.holds import released
from ledger.domain.wallet.lapses import due
from ledger.domain.wallet.state import Wallet
from ledger.domain.wallet.topups import ended
from ledger.domain.wallet.transfers import legs, refusal_of_receiver
from schemas.commands import CloseWallet, CreateWallet, FreezeWallet, TransferTo, UnfreezeWallet
from schemas.events import BalanceForfeited, WalletEvent, WalletOpened
from schemas.events import WalletClosed as WalletClosedEvent
from schemas.events import WalletFrozen as WalletFrozenEvent
from schemas.events import WalletUnfrozen as WalletUnfrozenEvent
from schemas.rejections import (
    CurrencyMismatch,
    CustomerIdConflict,
    Rejection,
    SameWallet,
    WalletClosed,
    WalletExists,
    WalletFrozen,
    WalletInactive,
    WalletNotEmpty,
    WalletUnknown,
)

NOTHING_TO_DO = Decision(())


def create(command: CreateWallet, facts: Facts) -> Decision:
    """One open wallet for each customer and currency."""
    if (refusal := refusal_of_opening(command.customer_id, facts)) is not None:
        return Decision((), refusal)
    opened = WalletOpened(
        customer_id=command.customer_id,
        user_id=facts.user_id,
        currency=command.currency,
        metadata=command.metadata,
    )
    return Decision((opened,))


def refusal_of_opening(customer_id: str, facts: Facts) -> Rejection | None:
    """Why the customer may not have this wallet."""
    if facts.open_wallet_id is not None:
        return WalletExists(wallet_id=facts.open_wallet_id)
    if facts.user_id_owner not in (None, customer_id):
        return CustomerIdConflict()
    return None


def freeze(wallet: Wallet, command: FreezeWallet) -> Decision:
    """Stop what the scope names, unless it is already stopped."""
    if wallet.status == "closed":
        return declined_change(wallet, "freeze", WalletClosed())
    if frozen_by(wallet.frozen, command.scope) == wallet.frozen:
        return NOTHING_TO_DO
    return Decision((WalletFrozenEvent(scope=command.scope, reason=command.reason),))


def unfreeze(wallet: Wallet, command: UnfreezeWallet) -> Decision:
    """Lift every freeze."""
    match wallet.status:
        case "closed":
            return declined_change(wallet, "unfreeze", WalletClosed())
        case "active":
            return NOTHING_TO_DO
        case "frozen":
            return Decision((WalletUnfrozenEvent(reason=command.reason),))
        case _:
            assert_never(wallet.status)


def close(wallet: Wallet, command: CloseWallet, now: datetime, facts: Facts) -> Decision:
    """Close for good. Holds and top-ups end first; then it must be empty, or is emptied."""
    if wallet.status == "closed":
        return NOTHING_TO_DO
    releases, freed = released(wallet, wallet.holds, "wallet_closed")
    unpaid = tuple(ended(freed, topup_id, "wallet_closed") for topup_id in freed.topups)
    freed = after(freed, unpaid, now)
    lapses = due(freed, now)
    freed = after(freed, lapses, now)
    events: tuple[WalletEvent, ...] = (*releases, *unpaid, *lapses)
    if freed.balance == 0:
        return Decision((*events, WalletClosedEvent()))
    if command.remaining_balance is None or freed.balance < 0:
        return declined_change(wallet, "close", WalletNotEmpty(balance=wallet.balance))
    if wallet.is_inactive:
        return declined_change(wallet, "close", WalletInactive())
    if wallet.status == "frozen":
        # The freeze is meant to keep the money in; closing would move it.
        return declined_change(wallet, "close", WalletFrozen())
    if isinstance(command.remaining_balance, TransferTo):
        if command.remaining_balance.transfer_to == wallet.wallet_id:
            return Decision((), SameWallet())
        if facts.other is None:
            receiver = command.remaining_balance.transfer_to
            return Decision((), WalletUnknown(wallet_id=receiver))
        return _transfer_rest(wallet, facts.other, freed, events, facts)
    return Decision((*events, _forfeited(freed), WalletClosedEvent()))


def _transfer_rest(
    wallet: Wallet, receiver: Wallet, freed: Wallet, events: tuple[WalletEvent, ...], facts: Facts
) -> Decision:
    if receiver.currency != wallet.currency:
        return Decision((), CurrencyMismatch())
    refusal = refusal_of_receiver(freed, receiver, freed.balance, facts)
    if refusal is not None:
        return declined_change(
            wallet,
            "close",
            refusal,
            other_wallet_id=receiver.wallet_id,
            # Of what a hold had set aside, some may be due: it lapses, and is not moved.
            decided_on=freed.balance,
        )
    sent, received = legs(freed, receiver, freed.balance, facts, cause="closing")
    return Decision((*events, sent, WalletClosedEvent()), others=(received,))


def _forfeited(wallet: Wallet) -> BalanceForfeited:
    return BalanceForfeited(
        amount=wallet.balance,
        balance_before=wallet.balance,
        balance_after=0,
        available_after=0,
        currency=wallet.currency,
    )
