"""How long clients wait for a log that neither answers nor fails, as with a stuck commit.

The append cannot be given up, for it may be committed yet. So its clients are answered, and it
goes on: what becomes of it is seen when they repeat their commands.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

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

    def _lose(self, tickets: Sequence[Ticket]) -> None:
        self.is_lost = True
        self._lost(tickets)
