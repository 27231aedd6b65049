"""Values of KYC fields: each read into its canonical form, or refused in words. Pure.

What is wrong never repeats the value: it is personal data.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from typing import Final, Literal

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from services.gateway.baas.field_reader import ValueRefusedError
from services.gateway.fields import ABSENT

MAX_NAME_CHARACTERS: Final = 100
MAX_PLACE_CHARACTERS: Final = 100
MAX_ADDRESS_CHARACTERS: Final = 255
MAX_REASON_CHARACTERS: Final = 255
MAX_POSTAL_CODE_CHARACTERS: Final = 16
_MAX_PHONE_CHARACTERS: Final = 32
_MAX_EMAIL_CHARACTERS: Final = 254
_MAX_TEXT_CHARACTERS: Final = 4096
# Normalising may join characters, and is not done on what is far too long either way.
_MAX_GROWTH: Final = 4
_EARLIEST_BIRTH: Final = date(1900, 1, 1)
_HOME: Final = "NG"

_DIGITS: Final = re.compile(r"[0-9]+", re.ASCII)
_PHONE = re.compile(r"\+?[0-9(][0-9 ().-]*", re.ASCII)
_POSTAL_CODE = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z -]*[0-9A-Za-z])?", re.ASCII)
# Letters' own marks, and what stands between them: both hyphens, three ways to write O'Neill.
_BETWEEN_LETTERS: Final = frozenset(" -\u2010'\u2019\u02bc.")
# Embeddings, overrides and isolates: with them a line reads in another order than it stands in.
_REORDERING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


ReadValue = Callable[[object], str]
"""Reads one field's value, or raises `ValueRefusedError`. Null is the same as nothing."""


def text_of(value: object) -> str:
    """A text as it was sent, without what no text may have."""
    if value is ABSENT or value is None:
        raise ValueRefusedError("missing", "is required")
    if not isinstance(value, str):
        raise ValueRefusedError("wrong_type", "must be a string")
    if len(value) > _MAX_TEXT_CHARACTERS:
        raise ValueRefusedError("too_long", "is longer than any such text")
    # Surrogates first: what prints a text with one of them fails.
    for character in value:
        match unicodedata.category(character):
            case "Cs":
                raise ValueRefusedError("invalid_text", "must not contain lone surrogates")
            case "Cc" | "Zl" | "Zp":
                detail = "must not contain control characters or line breaks"
                raise ValueRefusedError("invalid_text", detail)
            case _:
                pass
    return value


def _line(value: object, most: int) -> str:
    text = text_of(value)
    if len(text) <= most * _MAX_GROWTH:
        text = unicodedata.normalize("NFC", " ".join(text.split()))
    if len(text) > most:
        raise ValueRefusedError("too_long", f"must not be longer than {most} characters")
    if not text:
        raise ValueRefusedError("too_short", "must not be empty")
    return text


def line_of(most: int) -> ReadValue:
    """Reads free text of one line, which people will read: in the order that it stands in."""

    def read(value: object) -> str:
        text = _line(value, most)
        if not _REORDERING.isdisjoint(text):
            detail = "must not contain characters that change the order of text"
            raise ValueRefusedError("invalid_text", detail)
        return text

    return read


def name_of(value: object) -> str:
    """Read a person's name: letters of any script, and what stands between them."""
    name = _line(value, MAX_NAME_CHARACTERS)
    kinds = [unicodedata.category(character)[0] for character in name]
    between = (character in _BETWEEN_LETTERS for character in name)
    allowed = all(
        kind in "LM" or is_between for kind, is_between in zip(kinds, between, strict=True)
    )
    if not allowed or "L" not in kinds:
        raise ValueRefusedError(
            "invalid_name", "must consist of letters, spaces, hyphens, apostrophes and dots"
        )
    return name


def digits_of(count: int) -> ReadValue:
    """Reads exactly so many digits."""

    def read(value: object) -> str:
        text = text_of(value)
        if len(text) != count or not _DIGITS.fullmatch(text):
            raise ValueRefusedError("invalid_number", f"must be {count} digits")
        return text

    return read


def phone_of(value: object) -> str:
    """Read a telephone number as E.164; without + and country code it is Nigerian."""
    text = text_of(value).strip()
    invalid = ValueRefusedError(
        "invalid_phone", "must be a telephone number, such as 08012345678 or +2348012345678"
    )
    # The library reads words for digits and extensions, too, which say nothing here.
    if len(text) > _MAX_PHONE_CHARACTERS or not _PHONE.fullmatch(text):
        raise invalid
    try:
        number = phonenumbers.parse(text, _HOME)
    except phonenumbers.NumberParseException:
        raise invalid from None
    if not phonenumbers.is_valid_number(number):
        raise invalid
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def email_of(*, sandbox: bool) -> ReadValue:
    """Reads an e-mail address by its spelling alone; the sandbox takes the domain `.test`."""

    def read(value: object) -> str:
        text = text_of(value).strip()
        if len(text) <= _MAX_EMAIL_CHARACTERS:
            try:
                return validate_email(
                    text, check_deliverability=False, test_environment=sandbox
                ).normalized
            except EmailNotValidError:
                pass
        raise ValueRefusedError("invalid_email", "must be an e-mail address")

    return read


def postal_code_of(value: object) -> str:
    """Read a postal code: Latin letters, digits, spaces and hyphens."""
    text = _line(value, MAX_POSTAL_CODE_CHARACTERS)
    if not _POSTAL_CODE.fullmatch(text):
        raise ValueRefusedError("invalid_postal_code", "must be letters, digits and hyphens")
    return text


def birth_of(
    spelling: Literal["DD-MM-YYYY", "YYYY-MM-DD"], today: date
) -> Callable[[object], date]:
    """Reads a date of birth, which is a real day, and not after today."""
    shape = re.compile(re.sub(r"[A-Z]", "[0-9]", spelling), re.ASCII)

    def read(value: object) -> date:
        text = text_of(value).strip()
        invalid = ValueRefusedError("invalid_date", f"must be a day, written {spelling}")
        if not shape.fullmatch(text):
            raise invalid
        parts = text.split("-")
        try:
            born = date.fromisoformat("-".join(parts if spelling[0] == "Y" else reversed(parts)))
        except ValueError:
            raise invalid from None
        if not _EARLIEST_BIRTH <= born <= today:
            detail = f"must not be before {_EARLIEST_BIRTH.year} or in the future"
            raise ValueRefusedError("out_of_range", detail)
        return born

    return read
