"""What a projection is given, and why it may have to stop. Pure.

An event looks the same here wherever it came from: the topic, or the log.
"""

from datetime import datetime
from typing import NamedTuple

from msgspec import Struct

from schemas.identifiers import StreamKey


class ProjectionStoppedError(Exception):
    """The projection cannot go on and skips nothing: it stops, and a person must look.

    `code` is stable and stands in the log line; `message` says what was found.
    """

    code = "projection_stopped"


class ProjectionGapError(ProjectionStoppedError):
    """A wallet's versions have a hole that the log does not fill."""

    code = "projection_gap"


class ProjectionMismatchError(ProjectionStoppedError):
    """An event contradicts the row that it should change."""

    code = "projection_mismatch"


class UnreadableEventError(ProjectionStoppedError):
    """A message of the events topic is not an event of this release."""

    code = "projection_unreadable_event"


class LogDivergedError(ProjectionStoppedError):
    """The log no longer holds what was projected: it was restored or replaced."""

    code = "log_diverged"


class ProjectedEvent(Struct, frozen=True, kw_only=True, gc=False):
    """An event as a projection sees it, wherever it came from."""

    position: int
    """Place in the whole log."""
    wallet: StreamKey
    version: int
    """Place in the wallet's own stream; the first is 1."""
    event_id: str
    """A UUID, with or without hyphens."""
    type: str
    schema_version: int
    data: bytes | str
    """The event's JSON, verbatim."""
    recorded_at: datetime


class EventRange(NamedTuple):
    """Some events of one wallet: from the first version to the last, both included."""

    wallet: StreamKey
    first_version: int
    last_version: int
