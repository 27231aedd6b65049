"""Limits of tiers: the built-in ones, and what is wrong with a file that would replace them."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas.money import MAX_AMOUNT_MINOR
from schemas.tiers import NO_LIMITS, TIERS, TierLimits
from services.identity.tiers import (
    DEFAULT_LIMITS,
    TierLimitsError,
    parse_limits,
    read_limits,
)

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "configuration.md"


def sound() -> dict[str, Any]:
    return {
        "GHS": {
            tier: {
                "largest_balance_minor": 1000 * factor,
                "largest_credit_minor": 100 * factor,
                "largest_daily_debit_minor": "none" if factor == 3 else 50,
            }
            for factor, tier in enumerate(TIERS, start=1)
        }
    }


def test_the_built_in_limits_are_those_of_the_central_bank() -> None:
    naira = [
        [
            None if minor is None else minor // 100
            for minor in (
                limits.largest_balance_minor,
                limits.largest_credit_minor,
                limits.largest_daily_debit_minor,
            )
        ]
        for limits in (DEFAULT_LIMITS.of("NGN", tier) for tier in TIERS)
    ]
    assert naira == [
        [300_000, 50_000, 50_000],
        [500_000, 100_000, 200_000],
        [None, None, 5_000_000],
    ]


def test_the_example_of_the_reference_is_what_is_built_in() -> None:
    example = re.search(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert example is not None
    read = parse_limits(example[1], "toml")
    assert [read.of("NGN", tier) for tier in TIERS] == [
        DEFAULT_LIMITS.of("NGN", tier) for tier in TIERS
    ]


def test_a_wallet_without_a_tier_has_no_limits() -> None:
    assert DEFAULT_LIMITS.of("NGN", None) == NO_LIMITS
    assert DEFAULT_LIMITS.of("GHS", "TIER_ONE") == NO_LIMITS


def test_a_file_replaces_the_built_in_limits(tmp_path: Path) -> None:
    file = tmp_path / "limits.json"
    file.write_text(json.dumps(sound()))
    read = read_limits(file)
    assert read.of("GHS", "TIER_TWO") == TierLimits(
        largest_balance_minor=2000, largest_credit_minor=200, largest_daily_debit_minor=50
    )
    assert read.of("GHS", "TIER_THREE").largest_daily_debit_minor is None
    assert read.of("NGN", "TIER_ONE") == NO_LIMITS


def test_without_a_file_the_limits_are_built_in() -> None:
    assert read_limits(None) is DEFAULT_LIMITS


def _tier(limits: dict[str, Any]) -> dict[str, Any]:
    tier: dict[str, Any] = limits["GHS"]["TIER_ONE"]
    return tier


SPOILT: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a tier is left out": (
        lambda limits: limits["GHS"].pop("TIER_TWO"),
        "GHS.TIER_TWO: is missing",
    ),
    "a tier is made up": (
        lambda limits: limits["GHS"].update(TIER_FOUR={}),
        "GHS.TIER_FOUR: is none of TIER_ONE, TIER_TWO, TIER_THREE",
    ),
    "a limit is left out": (
        lambda limits: _tier(limits).pop("largest_credit_minor"),
        "GHS.TIER_ONE.largest_credit_minor: is missing",
    ),
    "a limit is misspelt": (
        lambda limits: _tier(limits).update(largest_debit=1),
        "GHS.TIER_ONE.largest_debit: is none of largest_balance_minor, ",
    ),
    "a currency is unknown": (
        lambda limits: limits.update(ZZZ={}),
        "ZZZ: is no ISO 4217 currency with minor units",
    ),
    "a currency is no table": (lambda limits: limits.update(GHS=1), "GHS: must be a table"),
    "a tier is no table": (
        lambda limits: limits["GHS"].update(TIER_ONE=[]),
        "GHS.TIER_ONE: must be a table",
    ),
    "a higher tier allows less": (
        lambda limits: _tier(limits).update(largest_balance_minor=2001),
        "GHS.TIER_TWO.largest_balance_minor: is below that of TIER_ONE",
    ),
    "only a lower tier is without limit": (
        lambda limits: _tier(limits).update(largest_balance_minor="none"),
        "GHS.TIER_TWO.largest_balance_minor: is below that of TIER_ONE",
    ),
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_what_is_wrong_is_named_with_its_place(spoilt: str) -> None:
    limits = sound()
    spoil, message = SPOILT[spoilt]
    spoil(limits)
    with pytest.raises(TierLimitsError, match=f"^{re.escape(message)}"):
        parse_limits(json.dumps(limits), "json")


@pytest.mark.parametrize("value", [-1, MAX_AMOUNT_MINOR + 1, 1.5, "1000", "", True, None, [], {}])
def test_a_limit_is_an_integer_or_none(value: object) -> None:
    limits = sound()
    _tier(limits)["largest_balance_minor"] = value
    with pytest.raises(TierLimitsError, match=r"^GHS.TIER_ONE.largest_balance_minor: must be an"):
        parse_limits(json.dumps(limits), "json")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("limits.toml", "[NGN", "is not TOML"),
        ("limits.json", "{", "is not JSON"),
        ("limits.json", "[" * 100_000, "is not JSON"),
        ("limits.json", "[]", "the file: must be a table"),
        ("limits.yaml", "", "the name must end in .toml or .json"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(TierLimitsError) as caught:
        read_limits(file)
    assert str(caught.value).startswith(f"{file}: {message}")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TierLimitsError, match=r"absent\.toml: cannot be read"):
        read_limits(tmp_path / "absent.toml")
