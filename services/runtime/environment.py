"""The real clock, randomness, sleep and tasks, behind the port that tests can fill otherwise."""

import asyncio
import os
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")


class SystemEnvironment:
    """The machine's own."""

    def __init__(self) -> None:
        # The event loop keeps only weak references to its tasks.
        self._tasks: set[asyncio.Task[Any]] = set()

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        return time.monotonic()

    def random_bytes(self, count: int) -> bytes:
        """Bytes that nobody can foresee."""
        return os.urandom(count)

    async def sleep(self, seconds: float) -> None:
        """Let others run for a while."""
        await asyncio.sleep(seconds)

    def spawn(self, coroutine: Coroutine[Any, Any, ResultT]) -> asyncio.Task[ResultT]:
        """Start a task that belongs to nobody's request and lives until it ends."""
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
