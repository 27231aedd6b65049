"""Reads of single wallets that are gathered: nobody who asks is forgotten."""

import asyncio
from typing import cast

from schemas.identifiers import StreamKey
from services.gateway.database import Database
from services.gateway.gathered_reads import GatheredReads

TENANT = "0b6f0c1e-5a34-4d3e-9a6b-52b1f2f5c001"


class SlowDatabase:
    """Knows no wallet, and says so when it may: to all statements under way at once."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.statements: asyncio.Queue[None] = asyncio.Queue()

    async def read(self, _whose: str, _ask: object) -> list[None]:
        """The answer to a statement of one wallet."""
        self.statements.put_nowait(None)
        await self.may_answer.wait()
        return [None]


async def asked(reads: GatheredReads, wallet_id: str) -> None:
    """Wait for the answer about a wallet, which is that there is none."""
    async with asyncio.timeout(10):
        assert await reads.read(StreamKey(TENANT, wallet_id)) is None


async def test_who_asks_as_all_senders_end_is_answered() -> None:
    """Both statements' answers come in one turn of the loop, and the question right after."""
    database = SlowDatabase()
    reads = GatheredReads(cast("Database", database))

    async def asked_again() -> None:
        await asked(reads, "wal_1")
        await asked(reads, "wal_3")

    asking = asyncio.create_task(asked_again())
    await database.statements.get()
    other = asyncio.create_task(asked(reads, "wal_2"))
    await database.statements.get()
    database.may_answer.set()
    await asyncio.gather(asking, other)

    assert database.statements.qsize() == 1
