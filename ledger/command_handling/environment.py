"""The port to clock, randomness, sleeping and tasks, so that tests can supply their own."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

ResultT = TypeVar("ResultT")


class Environment(Protocol):
    """What command handling needs of the world besides the log.

    The time of day is not here: it is the database's, told by each look-up.
    """

    def monotonic(self) -> float:
        """Seconds on a clock that never steps."""

    def random_bytes(self, count: int) -> bytes:
        """Unpredictable bytes, for identifiers."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""

    def spawn(self, coroutine: Coroutine[Any, Any, ResultT]) -> asyncio.Task[ResultT]:
        """Start a task that belongs to no request."""
