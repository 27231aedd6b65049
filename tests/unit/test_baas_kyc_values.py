"""Values of KYC fields: what is taken, the one form that it is kept in, and what is refused."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.baas.kyc_fields import read_tier_one, read_tier_three
from tests.specs.kyc_refusals import code_of_one
from tests.specs.people import LIVE, SANDBOX, TIER_ONE, TIER_THREE


@pytest.mark.parametrize(
    "number",
    ["", "1", "1" * 10, "1" * 12, "1111111111x", "11111 11111", "\u0661" * 11, "1" * 11 + "\u00b2"],
)
def test_an_identity_number_is_eleven_digits(number: str) -> None:
    assert code_of_one("bvn", number) == "invalid_number"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Ngozi", "Ngozi"),
        ("  Ngozi \u00a0Ada ", "Ngozi Ada"),
        ("O'Neill", "O'Neill"),
        ("O\u2019Neill", "O\u2019Neill"),
        ("Jean-Luc", "Jean-Luc"),
        ("Adamu Jr.", "Adamu Jr."),
        ("Ade\u0301", "Adé"),
        ("Ọláńrewájú", "Ọláńrewájú"),
        ("李小龙", "李小龙"),
        ("ñ" * 100, "ñ" * 100),
        ("n\u0303" * 100, "ñ" * 100),
    ],
)
def test_names_of_every_script_are_kept_in_one_form(said: str, kept: str) -> None:
    assert read_tier_one(TIER_ONE | {"first_name": said}, LIVE).first_name == kept


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "too_short"),
        ("   ", "too_short"),
        ("ñ" * 101, "too_long"),
        ("n\u0303" * 101, "too_long"),
        ("x" * 100_000, "too_long"),
        ("J0hn", "invalid_name"),
        ("John <b>", "invalid_name"),
        ("John; DROP", "invalid_name"),
        ("--", "invalid_name"),
        ("\u0301", "invalid_name"),
        ("\U0001f600", "invalid_name"),
        ("John\u202eDoe", "invalid_name"),
        ("John\x00", "invalid_text"),
        ("John\x1b[31m", "invalid_text"),
        ("John\nDoe", "invalid_text"),
        ("John\u2028", "invalid_text"),
        ("John\x85", "invalid_text"),
        ("John\ud800", "invalid_text"),
    ],
)
def test_what_is_no_name(name: str, code: str) -> None:
    assert code_of_one("last_name", name) == code


@pytest.mark.parametrize(
    "born", ["01-01-1900", "29-02-2000", "31-12-1999", "01-06-2026", " 01-01-2000 "]
)
def test_days_on_which_somebody_was_born(born: str) -> None:
    assert code_of_one("date_of_birth", born) is None


@pytest.mark.parametrize(
    ("born", "code"),
    [
        *((text, "invalid_date") for text in ("", "soon", "2000-01-01", "1-1-2000", "01/01/2000")),
        *(
            (text, "invalid_date")
            for text in ("30-02-2000", "29-02-1900", "32-01-2000", "00-01-2000")
        ),
        *(
            (text, "invalid_date")
            for text in ("01-13-2000", "01-01-0000", "01-01-20000", "010-1-2000")
        ),
        *((text, "invalid_date") for text in ("\u0660\u0661-01-2000", "01-01-2000T00:00")),
        ("31-12-1899", "out_of_range"),
        ("02-06-2026", "out_of_range"),
        ("01-01-9999", "out_of_range"),
    ],
)
def test_what_is_no_date_of_birth(born: str, code: str) -> None:
    assert code_of_one("date_of_birth", born) == code


@given(born=st.dates(date(1900, 1, 1), SANDBOX.today))
def test_both_spellings_of_a_date_say_the_same(born: date) -> None:
    one = read_tier_one(TIER_ONE | {"date_of_birth": born.strftime("%d-%m-%Y")}, LIVE)
    three = read_tier_three(TIER_THREE | {"dob": born.isoformat()}, LIVE)
    assert one.date_of_birth == three.date_of_birth == born


def test_tier_three_writes_dates_the_other_way_round() -> None:
    assert code_of_one("dob", "29-02-1992", TIER_THREE) == "invalid_date"


@pytest.mark.parametrize(
    "said",
    ["08012345678", "0801 234 5678", "(0801) 234-5678", "+2348012345678", "2348012345678"],
)
def test_one_telephone_number_may_be_written_in_many_ways(said: str) -> None:
    read = read_tier_one(TIER_ONE | {"phone_number": said}, LIVE)
    assert read.phone_number == "+2348012345678"


def test_a_telephone_number_may_be_foreign() -> None:
    read = read_tier_one(TIER_ONE | {"phone_number": "+44 7911 123456"}, LIVE)
    assert read.phone_number == "+447911123456"


@pytest.mark.parametrize(
    "said",
    [
        *(
            "",
            "1",
            "00000000000",
            "+2340000000000",
            "080123456789012",
            "0801-CALL-NOW",
            "tel:+23480",
        ),
        *("08012345678 ext. 5", "08012345678;ext=5", "+", "++2348012345678", "\uff10801234567"),
        *("+999123456789", "0" * 1000, "+1" + "2" * 40),
    ],
)
def test_what_is_no_telephone_number(said: str) -> None:
    assert code_of_one("phone_number", said) == "invalid_phone"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("a@example.com", "a@example.com"),
        (" Ngozi.A+wallet@EXAMPLE.com ", "Ngozi.A+wallet@example.com"),
        ("jöhn@exämple.com", "jöhn@exämple.com"),
    ],
)
def test_an_e_mail_address_is_kept_in_one_form(said: str, kept: str) -> None:
    assert read_tier_one(TIER_ONE | {"email": said}, LIVE).email == kept


@pytest.mark.parametrize(
    "said",
    [
        *("", "a", "a@", "@example.com", "a@localhost", "a@[127.0.0.1]", "a b@example.com"),
        *(
            "A <a@example.com>",
            "a@example..com",
            "a@exa_mple.com",
            "a@b.invalid",
            '"a"@example.com',
        ),
        *("a" * 250 + "@example.com", "a@" + "b" * 4000 + ".com"),
    ],
)
def test_what_is_no_e_mail_address(said: str) -> None:
    assert code_of_one("email", said) == "invalid_email"


def test_only_the_sandbox_takes_e_mail_of_tests() -> None:
    assert code_of_one("email", "a@wallet.test", rules=SANDBOX) is None
    assert code_of_one("email", "a@wallet.test", rules=LIVE) == "invalid_email"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("address", "x" * 255, None),
        ("address", "x" * 256, "too_long"),
        ("address", " ", "too_short"),
        ("address", "\u05e8\u05d7\u05d5\u05d1 5\u200f", None),
        ("address", "12 \u202edaoR aniraM", "invalid_text"),
        ("city", "\u2066Lagos\u2069", "invalid_text"),
        ("city", "x" * 101, "too_long"),
        ("state", "La\tgos", "invalid_text"),
        ("postal_code", "SW1A 1AA", None),
        ("postal_code", "1" * 17, "too_long"),
        ("postal_code", "10/12", "invalid_postal_code"),
        ("postal_code", "-1", "invalid_postal_code"),
    ],
)
def test_addresses(field: str, value: str, code: str | None) -> None:
    assert code_of_one(field, value, TIER_THREE) == code
