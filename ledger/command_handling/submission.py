"""A command as it is handed in, and what it is settled with."""

from typing import NamedTuple

from msgspec import Struct

from schemas.commands import Command
from schemas.events import RecordedEvent
from schemas.rejections import Rejection
from schemas.results import CommandResult


class Together:
    """Marks commands that are applied all or none: each of them has the same one."""


class Submission(Struct, frozen=True, kw_only=True, gc=False):
    """A command with who sends it. It has passed `ledger.command_handling.gate`."""

    tenant_id: str
    command: Command
    command_id: str | None
    """Freezes whatever is decided: an Idempotency-Key, or a CloudEvents id."""
    who: str
    correlation_id: str | None
    together: Together | None = None


class Settled(NamedTuple):
    """The outcome; `replayed` when it was decided before."""

    result: CommandResult
    replayed: bool
    received: RecordedEvent | None = None
    """Of a transfer that was not decided before: the event of the wallet that gets the money."""


def refused(rejection: Rejection) -> Settled:
    """A refusal that leaves no trace."""
    return Settled(CommandResult(status="declined", rejection=rejection), replayed=False)
