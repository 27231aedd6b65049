"""Amounts in major units: read exactly or refused, and written without a float."""

import json
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.money import MAX_AMOUNT_MINOR, currency_codes, exponent
from services.gateway.baas.amounts import AmountProblem, major_of, major_text, minor_of

LARGEST_NGN = 999_999_999_999_999
currencies = st.sampled_from(currency_codes())


@pytest.mark.parametrize(
    ("text", "currency", "amount_minor"),
    [
        ("1000", "NGN", 100_000),
        ("1000.5", "NGN", 100_050),
        ("1000.55", "NGN", 100_055),
        ("1000.550000", "NGN", 100_055),
        ("0.01", "NGN", 1),
        ("0.10", "NGN", 10),
        ("9999999999999.99", "NGN", LARGEST_NGN),
        ("9007199254740.99", "NGN", 900_719_925_474_099),
        ("1000", "JPY", 1000),
        ("1000.000", "JPY", 1000),
        ("9999999999999", "JPY", 9_999_999_999_999),
        ("1.234", "KWD", 1234),
        ("9007199254740.991", "KWD", MAX_AMOUNT_MINOR),
        ("1." + "0" * 100_000, "NGN", 100),
    ],
)
def test_an_amount_is_read_exactly(text: str, currency: str, amount_minor: int) -> None:
    assert minor_of(text.encode(), currency) == amount_minor


@pytest.mark.parametrize(
    ("text", "currency", "code", "detail"),
    [
        (None, "NGN", "missing", "is required"),
        ('"1000"', "NGN", "wrong_type", "must be a number"),
        ("true", "NGN", "wrong_type", "must be a number"),
        ("null", "NGN", "wrong_type", "must be a number"),
        ("{}", "NGN", "wrong_type", "must be a number"),
        ("[1]", "NGN", "wrong_type", "must be a number"),
        ("", "NGN", "wrong_type", "must be a number"),
        *(
            (
                text,
                "NGN",
                "wrong_type",
                "must be a plain number such as 1000.55, without an exponent",
            )
            for text in ("1e3", "1E3", "1.5e3", "1000e-2", "007", "1.", "1_000", "1 ", "1\n")
        ),
        ("-1", "NGN", "out_of_range", "must be greater than 0"),
        ("-0", "NGN", "out_of_range", "must be greater than 0"),
        ("0", "NGN", "out_of_range", "must be greater than 0"),
        ("0.00", "NGN", "out_of_range", "must be greater than 0"),
        ("0.001", "NGN", "too_precise", "must have at most 2 decimals, as NGN has"),
        ("1000.555", "NGN", "too_precise", "must have at most 2 decimals, as NGN has"),
        ("9999999999999.991", "NGN", "too_precise", "must have at most 2 decimals, as NGN has"),
        ("1.5", "JPY", "too_precise", "must have no decimals, as JPY has"),
        ("10000000000000", "NGN", "out_of_range", "must not be over 9999999999999.99"),
        ("9" * 5000, "NGN", "out_of_range", "must not be over 9999999999999.99"),
        ("9999999999999.991", "KWD", "out_of_range", "must not be over 9999999999999.99"),
        ("9007199254740.992", "KWD", "out_of_range", "must not be over 9007199254740.991 in KWD"),
        ("\u0661", "NGN", "wrong_type", "must be a number"),
    ],
)
def test_what_is_not_exactly_an_amount_is_refused(
    text: str | None, currency: str, code: str, detail: str
) -> None:
    number = None if text is None else text.encode()
    assert minor_of(number, currency) == AmountProblem(code=code, detail=detail)


@pytest.mark.parametrize(
    ("amount_minor", "currency", "text"),
    [
        (0, "NGN", "0"),
        (1000, "NGN", "10"),
        (1050, "NGN", "10.5"),
        (1055, "NGN", "10.55"),
        (5, "NGN", "0.05"),
        (-5, "NGN", "-0.05"),
        (-1050, "NGN", "-10.5"),
        (MAX_AMOUNT_MINOR, "NGN", "90071992547409.91"),
        (1000, "JPY", "1000"),
        (1230, "KWD", "1.23"),
    ],
)
def test_an_amount_is_written_in_as_few_characters_as_it_takes(
    amount_minor: int, currency: str, text: str
) -> None:
    assert major_text(amount_minor, currency) == text
    assert (
        msgspec.json.encode({"a": major_of(amount_minor, currency)}) == b'{"a":%s}' % text.encode()
    )


@given(amount_minor=st.integers(1, MAX_AMOUNT_MINOR), currency=currencies)
def test_what_is_written_is_read_again(amount_minor: int, currency: str) -> None:
    """Or is over the largest amount that this dialect takes."""
    text = major_text(amount_minor, currency)
    read = minor_of(text.encode(), currency)
    if Decimal(text) <= Decimal("9999999999999.99"):
        assert read == amount_minor
    else:
        assert isinstance(read, AmountProblem)


@given(
    amount_minor=st.integers(-MAX_AMOUNT_MINOR, MAX_AMOUNT_MINOR),
    currency=currencies,
)
def test_what_is_written_is_the_same_number(amount_minor: int, currency: str) -> None:
    written = json.loads(bytes(major_of(amount_minor, currency)), parse_float=Decimal)
    assert Decimal(written) * 10 ** exponent(currency) == amount_minor


@given(
    major=st.integers(0, 10**15),
    fraction=st.text("0123456789", max_size=6),
    currency=currencies,
)
def test_a_number_is_read_exactly_or_not_at_all(major: int, fraction: str, currency: str) -> None:
    """Against decimal arithmetic, which knows nothing of how it is read."""
    text = f"{major}.{fraction}" if fraction else str(major)
    value = Decimal(text)
    minor = value * 10 ** exponent(currency)
    read = minor_of(text.encode(), currency)
    fits = 0 < value <= Decimal("9999999999999.99") and minor <= MAX_AMOUNT_MINOR
    if fits and minor == minor.to_integral_value():
        assert read == int(minor)
    else:
        assert isinstance(read, AmountProblem)


@given(st.binary(max_size=30))
def test_no_value_breaks_the_reading(value: bytes) -> None:
    read = minor_of(value, "NGN")
    assert isinstance(read, AmountProblem) or 1 <= read <= LARGEST_NGN
