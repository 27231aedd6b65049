"""Moments: points in time, always with an offset, so that nobody has to guess one. Pure.

`moment_of` reads what a person or a client writes, everywhere the same: RFC 3339, or less of it.
"""

import re
from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta

Moment = Annotated[
    datetime, Meta(tz=True, description="RFC 3339 with an offset; kept in UTC, to the microsecond.")
]

_AS_ASKED = (
    "RFC 3339, in the future. A date alone, or a time without an offset, is UTC. "
    "Truncated to the microsecond."
)
MomentText = Annotated[
    str, Meta(description=_AS_ASKED, examples=["2030-01-01T00:00:00Z", "2030-01-01"])
]
"""A moment as a client may write it, for `moment_of`."""
AskedMoment = Annotated[datetime, Meta(tz=True, description=_AS_ASKED)]
"""The same when it was read."""

END_OF_TIME = datetime.max.replace(tzinfo=UTC)
"""The last microsecond of the year 9999. PostgreSQL's driver takes it for infinity, which it gives
back without an offset; so no command may name it."""

_TOO_FINE = re.compile(r"(\.\d{6})\d+", re.ASCII)

_DATE = r"\d{4}-\d{2}-\d{2}"
_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?"
_OFFSET = r"[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d"
# Python's own reader takes more, and not the same in each version: week dates, times
# without colons, offsets with seconds.
_MOMENT = re.compile(rf"{_DATE}(?:[Tt ]{_TIME}(?:{_OFFSET})?)?", re.ASCII)


def cut_to_microseconds(text: str) -> str:
    """A moment's text without the digits that are not kept.

    Readers differ in what they do with those, and one moment must be one wish, whichever way
    it came.
    """
    return _TOO_FINE.sub(r"\1", text, count=1)


def moment_of(text: str) -> datetime | None:
    """The moment in UTC, to the microsecond; None if it cannot be read, or kept.

    A date alone is its first moment, and without an offset it is UTC.
    """
    if not _MOMENT.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(cut_to_microseconds(text).upper())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        # No day of the calendar, or one that only its offset takes out of the years 1 to 9999.
        return None
    return None if moment == END_OF_TIME else moment
