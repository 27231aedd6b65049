"""The watch: browsers that wait for the same top-up have one who looks for all of them.

Anybody may come and wait, and each look is several reads; so how much is read depends neither
on how many wait, nor on how often they come.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from services.gateway.checkout.shown_topup import ShownTopup
from services.gateway.patience import Clock

MAX_WAIT_SECONDS: Final = 2.0
"""How long the way back waits for the callback before it shows a page."""
MAX_WAITERS: Final = 200
"""In one process; who comes on top of them does not wait."""
_PAUSE_SECONDS: Final = 0.2
# So that connections are left for all other reads, whatever is waited for.
_LOOKS_AT_ONCE: Final = 2

Find = Callable[[str], Awaitable[ShownTopup | None]]


class _Watched:
    """A top-up as it was seen last, and how many wait for its end."""

    end: "asyncio.Task[None]"

    def __init__(self, latest: ShownTopup) -> None:
        self.latest = latest
        self.waiters = 0


class Watch:
    """Waits for the ends of top-ups. `find` reads one by its id."""

    def __init__(self, find: Find, clock: Clock) -> None:
        self._find = find
        self._clock = clock
        self._watched: dict[str, _Watched] = {}
        self._waiters = 0
        self._looks = asyncio.Semaphore(_LOOKS_AT_ONCE)

    def seen(self, topup_id: str) -> ShownTopup | None:
        """The top-up as a moment ago, if somebody waits for it already."""
        watched = self._watched.get(topup_id)
        return None if watched is None else watched.latest

    async def once_over(self, topup: ShownTopup) -> ShownTopup:
        """The top-up once it is over, or as it is when waiting has been in vain.

        Raises what `find` raises.
        """
        if topup.is_over or self._waiters >= MAX_WAITERS:
            return topup
        watched = self._watched.get(topup.view.id)
        if watched is None:
            watched = self._watched[topup.view.id] = _Watched(topup)
            watched.end = asyncio.create_task(self._look(topup.view.id, watched))
            # Nobody may be left to hear of a failure.
            watched.end.add_done_callback(lambda end: end.cancelled() or end.exception())
        self._waiters += 1
        watched.waiters += 1
        try:
            # Not `wait_for`: it would end the looking for all others, too.
            await asyncio.wait({watched.end}, timeout=MAX_WAIT_SECONDS)
        finally:
            self._waiters -= 1
            watched.waiters -= 1
        if watched.end.done():
            watched.end.result()
        return watched.latest

    async def _look(self, topup_id: str, watched: _Watched) -> None:
        try:
            while watched.waiters and not watched.latest.is_over:
                await self._clock.sleep(_PAUSE_SECONDS)
                async with self._looks:
                    watched.latest = await self._find(topup_id) or watched.latest
        finally:
            del self._watched[topup_id]
