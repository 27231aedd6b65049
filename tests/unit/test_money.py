"""How amounts are written for people, in every currency that a wallet can have."""

import pytest

from schemas.money import currency_codes, exponent, formatted, is_currency


@pytest.mark.parametrize(
    ("amount_minor", "code", "text"),
    [
        (0, "GHS", "GH₵0.00"),
        (1234, "GHS", "GH₵12.34"),
        (-1234, "GHS", "-GH₵12.34"),
        (123456789, "NGN", "₦1,234,567.89"),
        (5, "USD", "$0.05"),
        (1234, "JPY", "¥1,234"),
        (1234, "EUR", "€12.34"),
        (1234567, "KWD", "KWD\u00a01,234.567"),
        (100, "CHF", "CHF\u00a01.00"),
    ],
)
def test_an_amount_is_written_as_people_at_home_do(amount_minor: int, code: str, text: str) -> None:
    assert formatted(amount_minor, code) == text


@pytest.mark.parametrize("code", currency_codes())
def test_every_currency_can_be_written(code: str) -> None:
    assert is_currency(code)
    decimals = exponent(code)
    text = formatted(10**decimals, code)
    assert text.endswith("1" if decimals == 0 else "1." + "0" * decimals)


@pytest.mark.parametrize("code", ["XAU", "XTS", "ZZZ", "ghs", "", "USDT"])
def test_what_has_no_minor_unit_is_no_currency(code: str) -> None:
    assert not is_currency(code)
