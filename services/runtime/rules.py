"""The rules of tiers, out of the settings: for every process that takes commands the same."""

from datetime import tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schemas.tiers import Tier, TierLimits
from services.identity.tiers import DEFAULT_LIMITS, LimitsOfTiers, TierLimitsError, read_limits
from services.runtime.settings import Settings, SettingsError


class ConfiguredRules:
    """The `Rules` of `ledger.command_handling.rules`."""

    def __init__(self, limits: LimitsOfTiers, time_zone: tzinfo) -> None:
        self._limits = limits
        self.time_zone = time_zone

    def limits_of(self, tier: Tier, currency: str) -> TierLimits:
        """The limits of a tier in a currency."""
        return self._limits.of(currency, tier)


BUILT_IN_RULES: Final = ConfiguredRules(DEFAULT_LIMITS, ZoneInfo(Settings().time_zone))


def rules_of(settings: Settings) -> ConfiguredRules:
    """The rules that the settings ask for. Raises `SettingsError` for what cannot be used."""
    try:
        limits = read_limits(settings.tier_limits_file)
    except TierLimitsError as error:
        raise SettingsError(f"LEDGER_TIER_LIMITS_FILE: {error}") from error
    try:
        time_zone = ZoneInfo(settings.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = f"LEDGER_TIME_ZONE: {settings.time_zone!r} is no time zone of this machine's"
        raise SettingsError(message) from error
    return ConfiguredRules(limits, time_zone)
