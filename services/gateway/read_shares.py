"""Fair shares of the connections for reads: how many at a time are one tenant's.

Who has had its share waits in a queue of its own, so a tenant whose reads are slow delays itself
and not the others.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from services.gateway.problems import ReadsUnavailableError

MAX_AT_ONCE: Final = 3
"""Of the connections there is one more, so no single tenant has all of them; and one that is alone
loses little by it."""
MAX_WAITING: Final = 1000


class _Share:
    __slots__ = ("reads", "turns")

    def __init__(self) -> None:
        self.reads = 0
        self.turns = asyncio.Semaphore(MAX_AT_ONCE)


class ReadShares:
    """Lets reads through in their order, those of each tenant apart from all others'."""

    def __init__(self) -> None:
        self._shares: dict[str, _Share] = {}

    @asynccontextmanager
    async def turn(self, whose: str) -> AsyncIterator[None]:
        """Inside the block one read may go on. Raises `ReadsUnavailableError` if too many wait."""
        share = self._shares.get(whose)
        if share is None:
            share = self._shares[whose] = _Share()
        if share.reads >= MAX_AT_ONCE + MAX_WAITING:
            raise ReadsUnavailableError(f"{MAX_WAITING} reads of {whose} wait already")
        share.reads += 1
        try:
            async with share.turns:
                yield
        finally:
            share.reads -= 1
            if not share.reads:
                del self._shares[whose]
