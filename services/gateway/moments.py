"""Moments: points in time as a client may write them, RFC 3339 or less of it. Pure."""

import re
from datetime import UTC, datetime

from schemas.times import END_OF_TIME, cut_to_microseconds

_DATE = r"\d{4}-\d{2}-\d{2}"
_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?"
_OFFSET = r"[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d"
# Python's own reader takes more, and not the same in each version: week dates, times
# without colons, offsets with seconds.
_MOMENT = re.compile(rf"{_DATE}(?:[Tt ]{_TIME}(?:{_OFFSET})?)?", re.ASCII)


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
