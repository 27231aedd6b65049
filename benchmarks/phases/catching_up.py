"""Catching up: how fast the relay, then each projector alone, works off a backlog.

All of them are stopped while the backlog is made and let go one after another. A process that
was stopped has to find its feet again, in PostgreSQL or in its consumer group; so the pace is
that between a tenth and nine tenths of the backlog.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

from msgspec import Struct

from benchmarks.bench import Bench
from benchmarks.measurement import MeasurementError
from benchmarks.phases.commands import Commands, settle_backlog
from benchmarks.progress import PROJECTIONS
from benchmarks.stack import BACKGROUND

_POLL_SECONDS = 0.02
_LIMIT_SECONDS = 120
_FROM, _TO = 0.1, 0.9


class CatchingUp(Struct, frozen=True, kw_only=True):
    """Events per second, each process alone."""

    backlog: Commands
    relay: float
    projectors: dict[str, float]


async def catching_up(bench: Bench) -> CatchingUp:
    """Make a backlog and let it be worked off."""
    progress = bench.progress
    with bench.stack.suspended(*BACKGROUND) as suspended:
        backlog = await settle_backlog(bench, bench.plan.backlog, "bench-backlog-")
        head = await progress.head()
        suspended.resume("relay")
        relay = await _pace(progress.published, head)
        messages = await progress.messages(bench.stack.settings.events_topic)
        projectors = {}
        for projection in PROJECTIONS:
            suspended.resume(f"projector-{projection}")
            projectors[projection] = await _pace(partial(progress.folded, projection), messages)
    await progress.until_caught_up()
    return CatchingUp(backlog=backlog, relay=relay, projectors=projectors)


async def _pace(measure: Callable[[], Awaitable[int]], goal: int) -> float:
    """Events per second between a tenth and nine tenths of the way to the goal."""
    start = await measure()
    first, last = (start + share * (goal - start) for share in (_FROM, _TO))
    entered: tuple[float, int] | None = None
    deadline = time.monotonic() + _LIMIT_SECONDS
    while True:
        reached, now = await measure(), time.monotonic()
        if entered is None and reached >= first:
            entered = now, reached
        if entered is not None and reached >= last:
            since, done = entered
            return (reached - done) / max(now - since, _POLL_SECONDS)
        if now > deadline:
            raise MeasurementError(f"only {reached} of {goal} were reached in {_LIMIT_SECONDS} s")
        await asyncio.sleep(_POLL_SECONDS)
