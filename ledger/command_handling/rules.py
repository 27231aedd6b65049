"""Rules that are set from outside: the limits of tiers, and the time zone of a day."""

from datetime import UTC, date, datetime, tzinfo
from typing import Protocol

from ledger.domain.wallet import Wallet
from schemas.tiers import NO_LIMITS, Tier, TierLimits


class Rules(Protocol):
    """What whoever runs the ledger has set. Every process that takes commands has the same."""

    @property
    def time_zone(self) -> tzinfo:
        """Where midnight ends the day of a daily limit."""

    def limits_of(self, tier: Tier, currency: str) -> TierLimits:
        """The limits of a tier in a currency."""


class _NoRules:
    time_zone: tzinfo = UTC

    def limits_of(self, tier: Tier, currency: str) -> TierLimits:
        return NO_LIMITS


NO_RULES: Rules = _NoRules()


class RulesNow:
    """The rules at one moment, for one wallet after another."""

    def __init__(self, rules: Rules, now: datetime) -> None:
        self._rules = rules
        self._now = now
        self._day: date | None = None

    def limits_of(self, wallet: Wallet | None) -> TierLimits | None:
        """The limits of the wallet's tier; None where it has no tier."""
        if wallet is None or wallet.profile is None or wallet.profile.tier is None:
            return None
        return self._rules.limits_of(wallet.profile.tier, wallet.currency)

    def day_of(self, wallet: Wallet) -> date | None:
        """The date to count the wallet's debits under; None where it has no tier."""
        if wallet.profile is None or wallet.profile.tier is None:
            return None
        if self._day is None:
            self._day = self._now.astimezone(self._rules.time_zone).date()
        return self._day
