"""Amounts: major units as the client writes them, minor units as the ledger has them. Pure.

What is read are the number's own characters; no float ever stands between.
"""

import re
from typing import Final

from msgspec import Raw, Struct

from schemas.money import MAX_AMOUNT_MINOR, exponent

CURRENCY: Final = "NGN"
"""What this dialect's wallets hold."""

assert exponent(CURRENCY) == 2, "the contract has kobo"

# The contract's `\d{1,13}(\.\d+)?` as far as JSON has such numbers: without a leading zero.
_NUMBER = re.compile(rb"(?P<major>0|[1-9][0-9]{0,12})(?:\.(?P<fraction>[0-9]+))?")
_LONGER_NUMBER = re.compile(rb"[1-9][0-9]{13,}(?:\.[0-9]+)?")
_NUMBER_BEGINS: Final = b"-0123456789"
# In hundredths of a major unit, whatever decimals the currency has.
_LARGEST_HUNDREDTHS: Final = 9_999_999_999_999_99
LARGEST_AMOUNT: Final = "9999999999999.99"


class AmountProblem(Struct, frozen=True, kw_only=True):
    """Why an amount cannot be taken; `detail` is for people and does not repeat it."""

    code: str
    detail: str


_MISSING = AmountProblem(code="missing", detail="is required")
_WRONG_TYPE = AmountProblem(code="wrong_type", detail="must be a number")
_WRONG_SPELLING = AmountProblem(
    code="wrong_type", detail="must be a plain number such as 1000.55, without an exponent"
)
_NOT_POSITIVE = AmountProblem(code="out_of_range", detail="must be greater than 0")
_TOO_LARGE = AmountProblem(code="out_of_range", detail=f"must not be over {LARGEST_AMOUNT}")


def minor_of(number: bytes | None, currency: str) -> int | AmountProblem:
    """The amount in minor units, from the characters of the JSON value; None is a missing one.

    Exact or refused: trailing zeros say nothing, any other decimal beyond the currency's
    would have to be rounded.
    """
    if number is None:
        return _MISSING
    found = _NUMBER.fullmatch(number)
    if found is None:
        return _refused(number)
    decimals = exponent(currency)
    fraction = (found["fraction"] or b"").rstrip(b"0")
    if len(fraction) > decimals:
        return _too_precise(currency, decimals)
    amount_minor = int(found["major"] + fraction.ljust(decimals, b"0"))
    if amount_minor == 0:
        return _NOT_POSITIVE
    if amount_minor * 100 > _LARGEST_HUNDREDTHS * 10**decimals:
        return _TOO_LARGE
    if amount_minor > MAX_AMOUNT_MINOR:
        return AmountProblem(
            code="out_of_range",
            detail=f"must not be over {major_text(MAX_AMOUNT_MINOR, currency)} in {currency}",
        )
    return amount_minor


def _refused(value: bytes) -> AmountProblem:
    if value[:1] not in _NUMBER_BEGINS or not value:
        return _WRONG_TYPE
    if value.startswith(b"-"):
        return _NOT_POSITIVE
    return _TOO_LARGE if _LONGER_NUMBER.fullmatch(value) else _WRONG_SPELLING


def _too_precise(currency: str, decimals: int) -> AmountProblem:
    most = f"at most {decimals} decimals" if decimals else "no decimals"
    return AmountProblem(code="too_precise", detail=f"must have {most}, as {currency} has")


def major_text(amount_minor: int, currency: str) -> str:
    """An amount or balance in major units, exact, in as few characters as it takes."""
    decimals = exponent(currency)
    sign = "-" if amount_minor < 0 else ""
    major, minor = divmod(abs(amount_minor), 10**decimals)
    fraction = f"{minor:0{decimals}d}".rstrip("0") if minor else ""
    return f"{sign}{major}.{fraction}" if fraction else f"{sign}{major}"


def major_of(amount_minor: int, currency: str) -> Raw:
    """The same as the JSON number that an answer shows."""
    return Raw(major_text(amount_minor, currency).encode())
