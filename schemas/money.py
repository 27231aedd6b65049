"""Money: integer amounts in minor units, and the currencies that a wallet can have.

No float ever touches an amount. Currency data is ISO 4217's (package `iso4217`);
how an amount is written for people is CLDR's (package `babel`).
"""

from functools import cache
from typing import Annotated

from babel import Locale, UnknownLocaleError
from babel.numbers import get_currency_symbol, get_territory_currencies
from iso4217 import Currency as IsoCurrency
from msgspec import Meta

MAX_AMOUNT_MINOR = 9_007_199_254_740_991
"""Largest amount and largest balance, 2^53 - 1: every JSON client reads it exactly."""

Amount = Annotated[
    int,
    Meta(
        ge=1,
        le=MAX_AMOUNT_MINOR,
        description="An amount in the currency's minor unit (pesewas, kobo, cents).",
    ),
]
Balance = Annotated[
    int,
    Meta(
        ge=-MAX_AMOUNT_MINOR,
        le=MAX_AMOUNT_MINOR,
        description="A balance in the currency's minor unit.",
    ),
]
CurrencyCode = Annotated[
    str, Meta(pattern="^[A-Z]{3}$", description="An ISO 4217 currency code that has minor units.")
]

# Precious metals, bond units and test codes are in ISO 4217 too, but have no minor
# unit ("N.A."), so no integer amount of them means anything.
_EXPONENTS: dict[str, int] = {
    currency.code: currency.exponent for currency in IsoCurrency if currency.exponent is not None
}


def is_currency(code: str) -> bool:
    """Whether `code` is an ISO 4217 currency that can be held in a wallet."""
    return code in _EXPONENTS


def currency_codes() -> list[str]:
    """Every currency code that `is_currency` accepts, sorted."""
    return sorted(_EXPONENTS)


def exponent(code: str) -> int:
    """How many decimals the currency has: 2 for GHS, 0 for JPY, 3 for KWD."""
    return _EXPONENTS[code]


@cache
def _symbol(code: str) -> str:
    """The symbol that people at home read: GH₵ in Ghana, $ in the United States."""
    for identifier in sorted(Locale("en").territories):
        if len(identifier) != 2 or code not in get_territory_currencies(identifier):
            continue
        try:
            symbol = get_currency_symbol(code, locale=Locale.parse(f"en_{identifier}"))
        except UnknownLocaleError:  # CLDR has no English for this territory
            continue
        if symbol != code:
            return _spaced(symbol)
    return _spaced(get_currency_symbol(code, locale="en"))


def _spaced(symbol: str) -> str:
    # CLDR puts a no-break space between letters and digits, and none after a sign.
    return f"{symbol}\u00a0" if symbol[-1].isalpha() else symbol


def formatted(amount_minor: int, code: str) -> str:
    """Write an amount for people: 1234 GHS is `GH₵12.34`, -1234 is `-GH₵12.34`."""
    decimals = _EXPONENTS[code]
    sign = "-" if amount_minor < 0 else ""
    if decimals == 0:
        return f"{sign}{_symbol(code)}{abs(amount_minor):,}"
    major, minor = divmod(abs(amount_minor), 10**decimals)
    return f"{sign}{_symbol(code)}{major:,}.{minor:0{decimals}d}"
