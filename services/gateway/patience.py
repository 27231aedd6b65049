"""Patience: how long a query waits for a read model that does not show the newest change yet."""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol, TypeVar

from services.gateway.problems import ReadModelBehindError

MAX_WAIT_SECONDS: Final = 1.0
_FIRST_PAUSES_SECONDS: Final = (0.002, 0.005, 0.010)
_PAUSE_SECONDS: Final = 0.020

ReadingT = TypeVar("ReadingT")


class Clock(Protocol):
    """What waiting needs of the world."""

    def monotonic(self) -> float:
        """Seconds on a clock that never steps."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class Patience:
    """How long to wait for one read model.

    When a wait of the whole second was in vain the model is taken to stand still: for
    the next second nobody waits, then one query tries again on behalf of all.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._still_since: float | None = None

    async def wait(
        self,
        ask: Callable[[], Awaitable[ReadingT]],
        caught_up: Callable[[ReadingT], bool],
        reading: ReadingT,
    ) -> ReadingT:
        """Ask again until the reading has caught up, or waiting is no use; the last reading."""
        started = self._clock.monotonic()
        if self._still_since is not None:
            if started - self._still_since < MAX_WAIT_SECONDS:
                return reading
            self._still_since = started
        pauses = iter(_FIRST_PAUSES_SECONDS)
        while self._clock.monotonic() - started < MAX_WAIT_SECONDS:
            await self._clock.sleep(next(pauses, _PAUSE_SECONDS))
            reading = await ask()
            if caught_up(reading):
                self._still_since = None
                return reading
        self._still_since = self._clock.monotonic()
        return reading

    async def until(
        self,
        ask: Callable[[], Awaitable[ReadingT]],
        caught_up: Callable[[ReadingT], bool],
        reading: ReadingT,
    ) -> ReadingT:
        """The reading, or a later one, that has caught up. Raises `ReadModelBehindError`."""
        if not caught_up(reading):
            reading = await self.wait(ask, caught_up, reading)
        if not caught_up(reading):
            raise ReadModelBehindError
        return reading
