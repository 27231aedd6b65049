"""Moments: points in time, always with an offset, so that nobody has to guess one."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

Moment = Annotated[
    datetime, Meta(tz=True, description="RFC 3339 with an offset; kept in UTC, to the microsecond.")
]
