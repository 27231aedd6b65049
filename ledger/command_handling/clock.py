"""The time of decisions: the database's clock, read often and reckoned in between."""

from datetime import datetime, timedelta

import structlog

from ledger.command_handling.environment import Environment
from ledger.command_handling.errors import ClockSteppedError
from ledger.command_handling.observer import ProcessorObserver

MAX_STEP_S = 60.0
MAX_RECKONING_S = 1.0
"""How old a reading may be for the time to be reckoned from it."""

_log = structlog.get_logger(__name__)


class LogClock:
    """One process's knowledge of the database's time, held against a clock that never steps."""

    def __init__(self, environment: Environment, observer: ProcessorObserver) -> None:
        self._environment = environment
        self._observer = observer
        self._reading: tuple[datetime, float] | None = None

    def read(self, database_now: datetime) -> datetime:
        """Take a reading. Raises `ClockSteppedError` when it jumped against our own clock."""
        step_s = self._step_s(database_now)
        if abs(step_s) > MAX_STEP_S:
            self._observer.clock_stepped()
            _log.error("clock_stepped", step_seconds=round(step_s, 3))
            raise ClockSteppedError(f"the database's clock stepped by {step_s:.0f} s")
        self._reading = (database_now, self._environment.monotonic())
        return database_now

    def note(self, database_now: datetime) -> None:
        """Take a reading that came with an append. One that jumped is left to `read`."""
        if abs(self._step_s(database_now)) <= MAX_STEP_S:
            self._reading = (database_now, self._environment.monotonic())

    def reckoned(self) -> datetime | None:
        """The database's time now, from a reading of a moment ago; None without one."""
        if self._reading is None:
            return None
        then, monotonic_then = self._reading
        elapsed_s = self._environment.monotonic() - monotonic_then
        return then + timedelta(seconds=elapsed_s) if elapsed_s <= MAX_RECKONING_S else None

    def _step_s(self, database_now: datetime) -> float:
        if self._reading is None:
            return 0.0
        then, monotonic_then = self._reading
        elapsed_s = self._environment.monotonic() - monotonic_then
        return (database_now - then).total_seconds() - elapsed_s
