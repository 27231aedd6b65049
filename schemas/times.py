"""Moments: points in time, always with an offset, so that nobody has to guess one."""

import re
from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta

Moment = Annotated[
    datetime, Meta(tz=True, description="RFC 3339 with an offset; kept in UTC, to the microsecond.")
]

END_OF_TIME = datetime.max.replace(tzinfo=UTC)
"""The last microsecond of the year 9999. PostgreSQL's driver takes it for infinity, which it gives
back without an offset; so no command may name it."""

_TOO_FINE = re.compile(r"(\.\d{6})\d+", re.ASCII)


def cut_to_microseconds(text: str) -> str:
    """A moment's text without the digits that are not kept.

    Readers differ in what they do with those, and one moment must be one wish, whichever way
    it came.
    """
    return _TOO_FINE.sub(r"\1", text, count=1)
