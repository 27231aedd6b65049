"""What a wallet does with a command. Each function is the rule book of one command.

A decision is events and, if the command was refused, the rejection. A refusal for the
wallet's state is a fact and has an event; one for a missing or taken wallet has none.
"""

from typing import Literal, assert_never

from msgspec import Struct

from ledger.domain.wallet.state import Wallet
from schemas.commands import (
    CloseWallet,
    Command,
    CreateWallet,
    CreditWallet,
    DebitWallet,
    FreezeWallet,
    UnfreezeWallet,
)
from schemas.events import (
    BalanceForfeited,
    ChangeDeclined,
    CreditDeclined,
    DebitDeclined,
    WalletCredited,
    WalletDebited,
    WalletEvent,
    WalletOpened,
)
from schemas.events import WalletClosed as WalletClosedEvent
from schemas.events import WalletFrozen as WalletFrozenEvent
from schemas.events import WalletUnfrozen as WalletUnfrozenEvent
from schemas.events.wallet import DeclineCode
from schemas.money import MAX_AMOUNT_MINOR
from schemas.rejections import (
    BalanceLimitExceeded,
    CustomerIdConflict,
    InsufficientFunds,
    Rejection,
    WalletClosed,
    WalletExists,
    WalletFrozen,
    WalletNotEmpty,
    WalletUnknown,
)


class Facts(Struct, frozen=True, kw_only=True, gc=False):
    """What a rule needs that the wallet's own state does not hold."""

    user_id: str = ""
    """Of a create: the UUID under which the customer is known."""
    open_wallet_id: str | None = None
    """Of a create: the customer's open wallet in that currency."""
    user_id_owner: str | None = None
    """Of a create: the customer id that has this user id already."""


class Decision(Struct, frozen=True, gc=False):
    """The events to append, and why the command was refused, if it was."""

    events: tuple[WalletEvent, ...]
    rejection: Rejection | None = None


NO_FACTS = Facts()
_NOTHING_TO_DO = Decision(())


def decide(wallet: Wallet | None, command: Command, facts: Facts = NO_FACTS) -> Decision:
    """Decide one command against the wallet that it names (None: there is none)."""
    if isinstance(command, CreateWallet):
        return _create(command, facts)
    if wallet is None:
        return Decision((), WalletUnknown())
    match command:
        case DebitWallet():
            return _debit(wallet, command)
        case CreditWallet():
            return _credit(wallet, command)
        case FreezeWallet():
            return _freeze(wallet)
        case UnfreezeWallet():
            return _unfreeze(wallet)
        case CloseWallet():
            return _close(wallet, command)
        case _:
            assert_never(command)


def _create(command: CreateWallet, facts: Facts) -> Decision:
    if facts.open_wallet_id is not None:
        return Decision((), WalletExists(wallet_id=facts.open_wallet_id))
    if facts.user_id_owner not in (None, command.customer_id):
        return Decision((), CustomerIdConflict())
    return Decision(
        (
            WalletOpened(
                customer_id=command.customer_id,
                user_id=facts.user_id,
                currency=command.currency,
                metadata=command.metadata,
            ),
        )
    )


def _debit(wallet: Wallet, command: DebitWallet) -> Decision:
    if wallet.status == "closed":
        return _declined_debit(wallet, command, "wallet_closed", WalletClosed())
    if wallet.status == "frozen":
        return _declined_debit(wallet, command, "wallet_frozen", WalletFrozen())
    if command.amount > wallet.available:
        short = InsufficientFunds(amount=command.amount, available=wallet.available)
        return _declined_debit(wallet, command, "insufficient_funds", short)
    return Decision(
        (
            WalletDebited(
                amount=command.amount,
                balance_before=wallet.balance,
                balance_after=wallet.balance - command.amount,
                available_after=wallet.available - command.amount,
                currency=wallet.currency,
                reference=command.reference,
                description=command.description,
                metadata=command.metadata,
            ),
        )
    )


def _credit(wallet: Wallet, command: CreditWallet) -> Decision:
    if wallet.status == "closed":
        return _declined_credit(wallet, command, "wallet_closed", WalletClosed())
    if wallet.balance + command.amount > MAX_AMOUNT_MINOR:
        over = BalanceLimitExceeded(
            amount=command.amount, balance=wallet.balance, limit=MAX_AMOUNT_MINOR
        )
        return _declined_credit(wallet, command, "balance_limit_exceeded", over)
    return Decision(
        (
            WalletCredited(
                amount=command.amount,
                balance_before=wallet.balance,
                balance_after=wallet.balance + command.amount,
                available_after=wallet.available + command.amount,
                currency=wallet.currency,
                reference=command.reference,
                description=command.description,
                metadata=command.metadata,
            ),
        )
    )


def _freeze(wallet: Wallet) -> Decision:
    match wallet.status:
        case "closed":
            return _declined_change(wallet, "freeze", "wallet_closed", WalletClosed())
        case "frozen":
            return _NOTHING_TO_DO
        case "active":
            return Decision((WalletFrozenEvent(),))


def _unfreeze(wallet: Wallet) -> Decision:
    match wallet.status:
        case "closed":
            return _declined_change(wallet, "unfreeze", "wallet_closed", WalletClosed())
        case "active":
            return _NOTHING_TO_DO
        case "frozen":
            return Decision((WalletUnfrozenEvent(),))


def _close(wallet: Wallet, command: CloseWallet) -> Decision:
    if wallet.status == "closed":
        return _NOTHING_TO_DO
    if wallet.balance == 0:
        return Decision((WalletClosedEvent(),))
    if command.remaining_balance is None:
        full = WalletNotEmpty(balance=wallet.balance)
        return _declined_change(wallet, "close", "wallet_not_empty", full)
    if wallet.status == "frozen":
        # Whoever froze it wants the money to stay; forfeiting would move it.
        return _declined_change(wallet, "close", "wallet_frozen", WalletFrozen())
    forfeited = BalanceForfeited(
        amount=wallet.balance,
        balance_before=wallet.balance,
        balance_after=0,
        available_after=0,
        currency=wallet.currency,
    )
    return Decision((forfeited, WalletClosedEvent()))


def _declined_debit(
    wallet: Wallet, command: DebitWallet, code: DeclineCode, rejection: Rejection
) -> Decision:
    event = DebitDeclined(
        code=code,
        amount=command.amount,
        balance=wallet.balance,
        available=wallet.available,
        currency=wallet.currency,
        reference=command.reference,
        description=command.description,
        metadata=command.metadata,
    )
    return Decision((event,), rejection)


def _declined_credit(
    wallet: Wallet, command: CreditWallet, code: DeclineCode, rejection: Rejection
) -> Decision:
    event = CreditDeclined(
        code=code,
        amount=command.amount,
        balance=wallet.balance,
        available=wallet.available,
        currency=wallet.currency,
        reference=command.reference,
        description=command.description,
        metadata=command.metadata,
    )
    return Decision((event,), rejection)


def _declined_change(
    wallet: Wallet,
    change: Literal["freeze", "unfreeze", "close"],
    code: DeclineCode,
    rejection: Rejection,
) -> Decision:
    event = ChangeDeclined(change=change, code=code, balance=wallet.balance)
    return Decision((event,), rejection)
