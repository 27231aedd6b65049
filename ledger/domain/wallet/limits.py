"""Limits of tiers: how large one credit, the balance and a day's debits may be."""

from datetime import date

from ledger.domain.wallet.decision import Facts
from ledger.domain.wallet.profiles import with_one_more
from ledger.domain.wallet.state import Wallet
from schemas.events import DayTotal
from schemas.rejections import TierLimitExceeded
from schemas.tiers import TierLimits


def day_with(wallet: Wallet, amount: int, day: date | None) -> DayTotal | None:
    """The day's debits with one more of `amount`; None if the wallet does not count them.

    If the date was set back, the later day continues.
    """
    if wallet.profile is None or day is None:
        return None
    so_far = wallet.profile.day
    if so_far is None or so_far.date < day:
        return DayTotal(date=day, amount=amount)
    return DayTotal(date=so_far.date, amount=with_one_more(so_far.amount, amount))


def excess_of_debit(wallet: Wallet, amount: int, facts: Facts) -> TierLimitExceeded | None:
    """Whether the day's debits would exceed the limit with this one."""
    profile, limits = wallet.profile, facts.limits
    if profile is None or profile.tier is None or limits is None:
        return None
    total, limit = day_with(wallet, amount, facts.day), limits.largest_daily_debit_minor
    if total is None or limit is None or total.amount <= limit:
        return None
    return TierLimitExceeded(
        limit_name="daily_debit", limit=limit, amount=amount, tier=profile.tier
    )


def excess_of_credit(
    wallet: Wallet, amount: int, limits: TierLimits | None, wallet_id: str | None = None
) -> TierLimitExceeded | None:
    """Whether incoming money is too much at once, or would make the balance too large.

    The refusal names `wallet_id`, for a command that the client sent to another wallet.
    """
    profile = wallet.profile
    if profile is None or profile.tier is None or limits is None:
        return None
    at_once, balance = limits.largest_credit_minor, limits.largest_balance_minor
    if at_once is not None and amount > at_once:
        return TierLimitExceeded(
            limit_name="largest_credit",
            limit=at_once,
            amount=amount,
            tier=profile.tier,
            wallet_id=wallet_id,
        )
    if balance is not None and wallet.balance + amount > balance:
        return TierLimitExceeded(
            limit_name="largest_balance",
            limit=balance,
            amount=amount,
            tier=profile.tier,
            wallet_id=wallet_id,
        )
    return None
