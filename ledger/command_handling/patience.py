"""How long clients wait for a log that neither answers nor fails, as with a stuck commit.

The append cannot be given up, for it may be committed yet. So its clients are answered, and it
goes on: what becomes of it is seen when they repeat their commands. Until then a repeated command
is as unknown as it was.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ledger.command_handling.errors import (
    CommandHandlingError,
    LedgerUnavailableError,
    OutcomeUnknownError,
)
from ledger.command_handling.question import reference_of
from ledger.command_handling.submission import Submission
from ledger.command_handling.tickets import Ticket

MAX_SETTLING_S = 6.0
"""More than a try that fails takes: that one can tell whether the commands were applied."""


class Patience:
    """Watches one batch at a time; `lost` is called once if it takes too long."""

    def __init__(
        self, monotonic: Callable[[], float], lost: Callable[[Sequence[Ticket]], None]
    ) -> None:
        self._monotonic = monotonic
        self._lost = lost
        self._began_at: float | None = None
        self.is_lost = False
        """Whether the batch under way has taken too long."""
        self._names: set[tuple[str, str, str]] = set()
        """Of the commands in it, then."""

    @property
    def settling_s(self) -> float:
        """For how long the batch under way has been settled; 0 if there is none."""
        return 0.0 if self._began_at is None else self._monotonic() - self._began_at

    @contextmanager
    def over(self, tickets: Sequence[Ticket]) -> Iterator[None]:
        """Watch while these are settled."""
        self._began_at = self._monotonic()
        alarm = asyncio.get_running_loop().call_later(MAX_SETTLING_S, self._lose, tickets)
        try:
            yield
        finally:
            alarm.cancel()
            self._began_at = None
            self.is_lost = False
            self._names.clear()

    def refusal_of(self, submission: Submission) -> CommandHandlingError:
        """What to say of a command while the log is silent: it may be an earlier one again."""
        if self._names.isdisjoint(_names_of(submission)):
            return LedgerUnavailableError("the log does not answer")
        return OutcomeUnknownError("the log does not answer")

    def _lose(self, tickets: Sequence[Ticket]) -> None:
        self.is_lost = True
        for ticket in tickets:
            self._names.update(_names_of(ticket.submission))
        self._lost(tickets)


def _names_of(submission: Submission) -> Iterator[tuple[str, str, str]]:
    """By which a repetition is recognised; a command may have none."""
    if submission.command_id is not None:
        yield (submission.tenant_id, "command id", submission.command_id)
    if (reference := reference_of(submission.command)) is not None:
        yield (submission.tenant_id, "reference", reference)
