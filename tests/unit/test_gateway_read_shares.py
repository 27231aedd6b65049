"""Shares of the connections: one tenant's reads wait for its own, and for nobody else's."""

import asyncio

import pytest

from services.gateway import read_shares
from services.gateway.database import MAX_READING
from services.gateway.problems import ReadsUnavailableError
from services.gateway.read_shares import MAX_AT_ONCE, ReadShares


class Reads:
    """Reads that go on until they are let go, in the order in which they began."""

    def __init__(self) -> None:
        self.shares = ReadShares()
        self.begun: list[str] = []
        self.may_end = asyncio.Event()

    async def read(self, whose: str, name: str) -> None:
        """One read."""
        async with self.shares.turn(whose):
            self.begun.append(name)
            await self.may_end.wait()


async def everything_has_its_turn() -> None:
    """Let every task go as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_tenant_with_many_reads_leaves_room_for_the_others() -> None:
    reads = Reads()
    tasks = [asyncio.create_task(reads.read("busy", f"busy-{n}")) for n in range(5)]
    await everything_has_its_turn()
    tasks.append(asyncio.create_task(reads.read("quiet", "quiet")))
    await everything_has_its_turn()
    assert reads.begun == [*(f"busy-{n}" for n in range(MAX_AT_ONCE)), "quiet"]
    reads.may_end.set()
    await asyncio.gather(*tasks)
    assert reads.begun[MAX_AT_ONCE + 1 :] == [f"busy-{n}" for n in range(MAX_AT_ONCE, 5)]


def test_no_tenant_can_have_every_connection() -> None:
    assert MAX_AT_ONCE < MAX_READING


async def test_who_stops_waiting_takes_no_turn() -> None:
    reads = Reads()
    tasks = [asyncio.create_task(reads.read("busy", f"busy-{n}")) for n in range(MAX_AT_ONCE + 2)]
    await everything_has_its_turn()
    tasks[MAX_AT_ONCE].cancel()
    await everything_has_its_turn()
    reads.may_end.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert reads.begun == [*(f"busy-{n}" for n in range(MAX_AT_ONCE)), f"busy-{MAX_AT_ONCE + 1}"]


async def test_more_than_may_wait_are_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_shares, "MAX_WAITING", 3)
    reads = Reads()
    tasks = [asyncio.create_task(reads.read("busy", str(n))) for n in range(MAX_AT_ONCE + 3)]
    await everything_has_its_turn()
    with pytest.raises(ReadsUnavailableError):
        await reads.read("busy", "one too many")
    reads.may_end.set()
    await asyncio.gather(*tasks)
    await reads.read("busy", "later")
    assert reads.begun[-1] == "later"
