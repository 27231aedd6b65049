"""The rules of tiers out of the settings: the built-in ones, a file's, and what cannot be used."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ledger.command_handling.rules import Rules, RulesNow
from services.runtime.rules import BUILT_IN_RULES, rules_of
from services.runtime.settings import Settings, SettingsError
from tests.specs.decider import OPENED, WALLET_ID, Given
from tests.specs.known_customers import KNOWN

BEFORE_MIDNIGHT = datetime(2026, 5, 17, 22, 59, 59, tzinfo=UTC)
"""A second before midnight in Lagos, which is an hour ahead all the year."""


def test_without_settings_the_limits_are_those_of_naira_wallets() -> None:
    rules: Rules = rules_of(Settings())
    assert rules.limits_of("TIER_ONE", "NGN") == BUILT_IN_RULES.limits_of("TIER_ONE", "NGN")
    assert rules.limits_of("TIER_ONE", "NGN").largest_credit_minor == 5_000_000
    assert rules.limits_of("TIER_ONE", "GHS").largest_credit_minor is None


def test_a_file_replaces_the_limits(tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    file.write_text(
        "".join(
            f'[GHS.{tier}]\nlargest_balance_minor = 9\nlargest_credit_minor = "none"\n'
            "largest_daily_debit_minor = 3\n"
            for tier in ("TIER_ONE", "TIER_TWO", "TIER_THREE")
        )
    )
    limits = rules_of(Settings(tier_limits_file=file)).limits_of("TIER_TWO", "GHS")
    assert (limits.largest_balance_minor, limits.largest_daily_debit_minor) == (9, 3)


@pytest.mark.parametrize(
    ("settings", "variable"),
    [
        (Settings(tier_limits_file=Path("nowhere.toml")), "LEDGER_TIER_LIMITS_FILE"),
        (Settings(time_zone="Africa/Wakanda"), "LEDGER_TIME_ZONE"),
        (Settings(time_zone="../etc/passwd"), "LEDGER_TIME_ZONE"),
    ],
)
def test_what_cannot_be_used_is_said_with_its_variable(settings: Settings, variable: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        rules_of(settings)


@pytest.mark.parametrize(("seconds", "day"), [(59, date(2026, 5, 17)), (0, date(2026, 5, 18))])
def test_a_day_ends_at_midnight_in_the_time_zone(seconds: int, day: date) -> None:
    now = BEFORE_MIDNIGHT if seconds else datetime(2026, 5, 17, 23, tzinfo=UTC)
    known = Given(KNOWN).wallets[WALLET_ID]
    assert RulesNow(BUILT_IN_RULES, now).day_of(known) == day


def test_a_wallet_without_a_tier_has_neither_limits_nor_a_day() -> None:
    plain = Given(OPENED).wallets[WALLET_ID]
    rules = RulesNow(BUILT_IN_RULES, BEFORE_MIDNIGHT)
    assert rules.day_of(plain) is None
    assert rules.limits_of(plain) is None
    assert rules.limits_of(None) is None
