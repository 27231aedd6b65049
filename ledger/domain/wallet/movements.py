"""Debits and credits: money out, soonest lot first, and money in."""

from datetime import datetime

from msgspec.structs import replace

from ledger.domain.wallet.decision import NO_FACTS, Decision, Facts, answered
from ledger.domain.wallet.declines import declined_credit, declined_debit
from ledger.domain.wallet.evolve import debt_of
from ledger.domain.wallet.limits import day_with, excess_of_credit, excess_of_debit
from ledger.domain.wallet.lots import expiring, put, take
from ledger.domain.wallet.standing import keeps_money_in, keeps_money_out
from ledger.domain.wallet.state import MAX_OPEN_LOTS, Wallet
from schemas.commands import CreditWallet, DebitWallet
from schemas.events import LotAmount, Lots, WalletCredited, WalletDebited
from schemas.money import MAX_AMOUNT_MINOR
from schemas.rejections import (
    BalanceLimitExceeded,
    ExpiryNotAhead,
    InsufficientFunds,
    Rejection,
    TooManyLots,
)


def debit(wallet: Wallet, command: DebitWallet, facts: Facts = NO_FACTS) -> Decision:
    """Money out, at most what is available."""
    if (refusal := refusal_of_debit(wallet, command.amount, facts)) is not None:
        return declined_debit(wallet, command, command.amount, refusal, kind="debit")
    spent, left = take(wallet.lots, command.amount)
    debited = WalletDebited(
        amount=command.amount,
        balance_before=wallet.balance,
        balance_after=wallet.balance - command.amount,
        available_after=wallet.available - command.amount,
        expiring_after=expiring(left),
        currency=wallet.currency,
        reference=command.reference,
        description=command.description,
        spent=spent,
        metadata=command.metadata,
    )
    if facts.day is not None:
        debited = replace(debited, day=day_with(wallet, command.amount, facts.day))
    return answered(debited)


def credit(
    wallet: Wallet, command: CreditWallet, now: datetime, facts: Facts = NO_FACTS
) -> Decision:
    """Money in; if it has a moment, whatever remains of it lapses then."""
    if command.expires_at is not None and command.expires_at <= now:
        return Decision((), ExpiryNotAhead())
    parts = (LotAmount(amount=command.amount, expires_at=command.expires_at),)
    refusal = refusal_of_credit(wallet, command.amount, beyond_debt(wallet, parts))
    if refusal is None and facts.limits is not None:
        refusal = excess_of_credit(wallet, command.amount, facts.limits)
    if refusal is not None:
        return declined_credit(wallet, command, command.amount, refusal, kind="credit")
    return answered(
        WalletCredited(
            amount=command.amount,
            balance_before=wallet.balance,
            balance_after=wallet.balance + command.amount,
            available_after=wallet.available + command.amount,
            expiring_after=expiring(put(wallet.lots, parts, debt_of(wallet))),
            currency=wallet.currency,
            reference=command.reference,
            description=command.description,
            expires_at=command.expires_at,
            metadata=command.metadata,
        )
    )


def refusal_of_debit(wallet: Wallet, amount: int, facts: Facts) -> Rejection | None:
    """Why money may not leave, checked in this order."""
    if (refusal := keeps_money_in(wallet)) is not None:
        return refusal
    if amount > wallet.available:
        return InsufficientFunds(amount=amount, available=wallet.available)
    return None if wallet.profile is None else excess_of_debit(wallet, amount, facts)


def refusal_of_credit(
    wallet: Wallet, amount: int, kept: Lots, wallet_id: str | None = None
) -> Rejection | None:
    """Why money may not enter, checked in this order, before a tier's limits.

    `kept` is the part that becomes lots: not what pays a debt, and not what lapses at once.
    The refusal names `wallet_id`, for a command that the client sent to another wallet.
    """
    if (refusal := keeps_money_out(wallet, wallet_id)) is not None:
        return refusal
    if wallet.balance + amount > MAX_AMOUNT_MINOR:
        return BalanceLimitExceeded(
            amount=amount, balance=wallet.balance, limit=MAX_AMOUNT_MINOR, wallet_id=wallet_id
        )
    if too_many_lots(wallet, kept):
        return TooManyLots(limit=MAX_OPEN_LOTS, wallet_id=wallet_id)
    return None


def beyond_debt(wallet: Wallet, parts: Lots) -> Lots:
    """What is left of incoming money after it has paid the wallet's debt, soonest first."""
    debt = debt_of(wallet)
    return take(parts, debt)[1] if debt else parts


def too_many_lots(wallet: Wallet, parts: Lots) -> bool:
    """Whether the wallet would have more different moments than it may. Held lots count too."""
    moments = {part.expires_at for part in parts if part.expires_at is not None}
    if not moments:
        return False
    kept = {lot.expires_at for lot in wallet.lots}
    kept.update(lot.expires_at for hold in wallet.holds.values() for lot in hold.allocated)
    kept.discard(None)
    return not moments <= kept and len(kept | moments) > MAX_OPEN_LOTS
