"""Tiers: how well a customer is known, and what a wallet may hold and move at each of them."""

from typing import Final, Literal, get_args

from msgspec import Struct

Tier = Literal["TIER_ONE", "TIER_TWO", "TIER_THREE"]

TIERS: Final[tuple[Tier, ...]] = get_args(Tier)
"""From the least known to the best known."""


class TierLimits(Struct, frozen=True, kw_only=True, gc=False):
    """The limits of one tier in one currency, in minor units; None is no limit of its own."""

    largest_balance_minor: int | None
    largest_credit_minor: int | None
    """Of a single credit."""
    largest_daily_debit_minor: int | None
    """Of all debits of one day together, in the tenant's time zone."""


NO_LIMITS: Final = TierLimits(
    largest_balance_minor=None, largest_credit_minor=None, largest_daily_debit_minor=None
)
"""Of a tier and currency for which nothing is configured, and of a wallet without a tier."""
