"""As of: up to where the log is asked about, as people and clients write it. Pure."""

import re
from datetime import datetime
from typing import Final, Literal

from schemas.times import moment_of

Ambiguous = Literal["ambiguous"]
"""A number alone that may be meant as a position, as a year or as a date."""

_POSITION: Final = re.compile(r"(position:)?(0|[1-9][0-9]{0,18})", re.ASCII)
_LARGEST_POSITION: Final = 2**63 - 2
_LENGTHS_OF_DATES: Final = (4, 8)
"""`2030` and `20300101`."""


def read_as_of(text: str) -> int | datetime | Ambiguous | None:
    """The position or the moment that a text says; None if it says neither.

    `position:2030` is a position, whatever it looks like. Without the word a number of four or
    eight digits is ambiguous: to guess would show the books of another day.
    """
    found = _POSITION.fullmatch(text)
    if found is None:
        return moment_of(text)
    word, digits = found.groups()
    if word is None and len(digits) in _LENGTHS_OF_DATES:
        return "ambiguous"
    position = int(digits)
    return position if position <= _LARGEST_POSITION else None
