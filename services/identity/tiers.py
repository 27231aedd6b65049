"""Limits of tiers: the built-in ones, and those of a file that replaces them.

The built-in ones follow the Central Bank of Nigeria's three-tiered KYC:

- largest balance and largest single credit: circular FPR/DIR/CIR/GEN/06/002 of 1 July 2016
  (tier one 300 000 and 50 000 naira, tier two 500 000 and 100 000, tier three without);
- largest daily debit: the daily cumulative limits for mobile money wallets, circular
  BPS/DIR/GEN/CIR/04/007 of 7 September 2017 (50 000, 200 000 and 5 000 000 naira).

They are a default and no legal advice: whoever runs this answers for the limits in force.
"""

import json
import tomllib
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from schemas.money import MAX_AMOUNT_MINOR, is_currency
from schemas.tiers import NO_LIMITS, TIERS, Tier, TierLimits

NO_LIMIT: Final = "none"
"""How a file says that a tier has no such limit; a limit that is not there is a mistake."""

Format = Literal["toml", "json"]
_FORMATS: Final[dict[str, Format]] = {".toml": "toml", ".json": "json"}
_LIMIT_NAMES: Final = TierLimits.__struct_fields__


class TierLimitsError(Exception):
    """The limits cannot be used. The message names the place and what is expected."""


class LimitsOfTiers:
    """The limits by currency and tier."""

    def __init__(self, by_currency: Mapping[str, Mapping[Tier, TierLimits]]) -> None:
        self._by_currency = by_currency

    def of(self, currency: str, tier: Tier | None) -> TierLimits:
        """The limits of a wallet; none where it has no tier, or its currency is not limited."""
        if tier is None or currency not in self._by_currency:
            return NO_LIMITS
        return self._by_currency[currency][tier]


def _naira(balance: int | None, credit: int | None, daily_debit: int) -> TierLimits:
    kobo = 100
    return TierLimits(
        largest_balance_minor=None if balance is None else balance * kobo,
        largest_credit_minor=None if credit is None else credit * kobo,
        largest_daily_debit_minor=daily_debit * kobo,
    )


DEFAULT_LIMITS: Final = LimitsOfTiers(
    {
        "NGN": {
            "TIER_ONE": _naira(300_000, 50_000, 50_000),
            "TIER_TWO": _naira(500_000, 100_000, 200_000),
            "TIER_THREE": _naira(None, None, 5_000_000),
        }
    }
)


def read_limits(path: Path | None) -> LimitsOfTiers:
    """The limits of a `.toml` or `.json` file; the built-in ones without a file.

    Raises `TierLimitsError`, also where the file cannot be read.
    """
    if path is None:
        return DEFAULT_LIMITS
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TierLimitsError(f"{path}: cannot be read: {error}") from error
    written_in = _FORMATS.get(path.suffix)
    if written_in is None:
        raise TierLimitsError(f"{path}: the name must end in .toml or .json")
    try:
        return parse_limits(text, written_in)
    except TierLimitsError as error:
        raise TierLimitsError(f"{path}: {error}") from error


def parse_limits(text: str, written_in: Format) -> LimitsOfTiers:
    """The limits that a text says: currency, then tier, then the three limits. Pure.

    Raises `TierLimitsError` for anything that is not exactly that.
    """
    try:
        content: Any = tomllib.loads(text) if written_in == "toml" else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TierLimitsError(f"is not {written_in.upper()}: {error}") from error
    by_currency = {}
    for currency, tiers in _table(content, "the file").items():
        if not is_currency(currency):
            raise TierLimitsError(f"{currency}: is no ISO 4217 currency with minor units")
        by_currency[currency] = _tiers(_table(tiers, currency), currency)
    return LimitsOfTiers(by_currency)


def _tiers(content: dict[str, Any], place: str) -> dict[Tier, TierLimits]:
    _expect_names(content, TIERS, place)
    limits: dict[Tier, TierLimits] = {
        tier: _limits(_table(content[tier], f"{place}.{tier}"), f"{place}.{tier}") for tier in TIERS
    }
    for lower, higher in pairwise(TIERS):
        for name in _LIMIT_NAMES:
            least, most = getattr(limits[lower], name), getattr(limits[higher], name)
            if most is not None and (least is None or least > most):
                raise TierLimitsError(f"{place}.{higher}.{name}: is below that of {lower}")
    return limits


def _limits(content: dict[str, Any], place: str) -> TierLimits:
    _expect_names(content, _LIMIT_NAMES, place)
    values = {name: _limit(content[name], f"{place}.{name}") for name in _LIMIT_NAMES}
    return msgspec.convert(values, TierLimits)


def _limit(value: object, place: str) -> int | None:
    if value == NO_LIMIT:
        return None
    # A bool is an int to Python, and `true` a likely slip for "no limit".
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_AMOUNT_MINOR:
        return value
    raise TierLimitsError(
        f'{place}: must be an integer from 0 to {MAX_AMOUNT_MINOR} in minor units, or "{NO_LIMIT}"'
    )


def _table(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TierLimitsError(f"{place}: must be a table")
    return value


def _expect_names(content: dict[str, Any], names: tuple[str, ...], place: str) -> None:
    for name in names:
        if name not in content:
            raise TierLimitsError(f"{place}.{name}: is missing")
    for name in content:
        if name not in names:
            raise TierLimitsError(f"{place}.{name}: is none of {', '.join(names)}")
