"""The wallets that the load is spread over: opened and filled over HTTP, as a client would."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
from msgspec import Struct

from benchmarks.measurement import MeasurementError
from benchmarks.stack import Stack
from services.runtime.kafka import partition_for

CREDIT_MINOR = 1_000_000_000_000
"""What each wallet is given: more than the whole bench can take from it."""
_CONCURRENCY = 32
_PROBED = 64
"""Of so many wallets there are some on every partition."""
PROBED_PARTITION = 0


class Wallets(Struct, frozen=True, kw_only=True):
    """Wallet ids by what they are for."""

    spread: list[str]
    hot: str
    probed: list[str]
    """Only probes touch these, and all their events are on `PROBED_PARTITION`."""
    credited_minor: int


async def open_wallets(stack: Stack, count: int) -> Wallets:
    """Open and fill them all. Raises `MeasurementError` if the gateway refuses."""
    total = count + 1 + _PROBED
    ids = [""] * total
    numbers = iter(range(total))

    async with client(stack) as session:

        async def work() -> None:
            # Whoever is free takes the next number.
            for number in numbers:
                ids[number] = await _open(session, number)

        await asyncio.gather(*(work() for _ in range(_CONCURRENCY)))
    partitions = stack.settings.topic_partitions
    return Wallets(
        spread=ids[:count],
        hot=ids[count],
        probed=[
            wallet
            for wallet in ids[count + 1 :]
            if partition_for(wallet.encode(), partitions) == PROBED_PARTITION
        ],
        credited_minor=total * CREDIT_MINOR,
    )


@asynccontextmanager
async def client(stack: Stack) -> AsyncIterator[aiohttp.ClientSession]:
    """A session that speaks to the stack's gateway as the sandbox merchant."""
    async with aiohttp.ClientSession(
        base_url=stack.url,
        auth=aiohttp.BasicAuth(stack.client_id, stack.client_secret),
        connector=aiohttp.TCPConnector(limit=_CONCURRENCY),
    ) as session:
        yield session


async def _open(session: aiohttp.ClientSession, number: int) -> str:
    opening = {"customer_id": f"bench-{number}", "currency": "GHS"}
    wallet = await _post(session, "/v1/wallets", opening, 201)
    credit = {"amount": CREDIT_MINOR, "description": "bench", "reference": f"bench-fill-{number}"}
    await _post(session, f"/v1/wallets/{wallet}/credit", credit, 200)
    return wallet


async def _post(
    session: aiohttp.ClientSession, path: str, body: Mapping[str, object], status: int
) -> str:
    """The id in the answer."""
    async with session.post(path, json=body) as answer:
        if answer.status != status:
            raise MeasurementError(f"{path} was answered {answer.status}: {await answer.text()}")
        return str((await answer.json())["id"])
