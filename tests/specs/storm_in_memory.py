"""The clients of a storm on a log in memory, where nothing breaks: a history for the judge."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any, NamedTuple

import aiohttp
import msgspec

from ledger.command_handling.submission import Settled
from ledger.event_log.memory import MemoryEventLog, MemoryStore
from schemas.commands import CompleteTopup
from schemas.events import RecordedEvent
from tests.specs.invariants import all_events
from tests.specs.storm_clients import Client
from tests.specs.storm_journal import Journal, Payment
from tests.specs.storm_purses import Row
from tests.specs.storm_wishes import Call, Door, Told
from tests.specs.world import Writer, submission

_CLIENTS = 5
_WALLETS = 3
_SOON_S = 0.5


class History(NamedTuple):
    """What was asked and told, and the log."""

    journal: Journal
    rows: list[Row]


class MemoryDoors:
    """Ways in to a processor of the same process. Answers are as those over Kafka."""

    offers: Sequence[Door] = ("kafka",)

    def __init__(self, writer: Writer, journal: Journal) -> None:
        self._writer = writer
        self._journal = journal

    async def send(self, session: aiohttp.ClientSession, call: Call, chance: Random) -> None:
        """See `WaysIn`."""
        for wish in call.wishes:
            wish.began = min(wish.began, time.monotonic())
        asked = [submission(wish.command, wish.key) for wish in call.wishes]
        processor = self._writer.processor
        if call.atomic:
            waiting = processor.enqueue_together(asked)
        else:
            waiting = [processor.enqueue(each) for each in asked]
        settled = await asyncio.gather(*waiting)
        self._journal.take(call, [_told(each) for each in settled])

    async def hang_up(self, session: aiohttp.ClientSession, call: Call, chance: Random) -> None:
        """See `WaysIn`."""
        await self.send(session, call, chance)

    async def send_half(self, call: Call, chance: Random) -> None:
        """See `WaysIn`."""

    async def pay(
        self,
        session: aiohttp.ClientSession,
        chance: Random,
        shown: Mapping[str, Any],
        *,
        ends_soon: bool,
    ) -> None:
        """The provider tells of a payment, once or twice."""
        paid = Payment(f"pay_{len(self._journal.payments)}", shown["id"], shown["amount"])
        self._journal.payments.append(paid)
        for _ in range(chance.choice((1, 2))):
            command = CompleteTopup(
                topup_id=paid.topup_id,
                payment_id=paid.payment_id,
                amount=paid.amount,
                currency=shown["currency"],
            )
            await self._writer.send(command)

    async def look(self, session: aiohttp.ClientSession, chance: Random, wallet_id: str) -> None:
        """See `WaysIn`."""

    async def see(
        self, session: aiohttp.ClientSession, chance: Random, kind: str, named: str
    ) -> None:
        """See `WaysIn`."""

    async def see_history(
        self, session: aiohttp.ClientSession, chance: Random, shown: Mapping[str, Any]
    ) -> None:
        """See `WaysIn`."""


def _told(settled: Settled) -> Told:
    result = settled.result
    status = 200 if result.status == "accepted" else 409
    body = msgspec.json.encode(result)
    return Told(status, body, result.version, settled.replayed, time.monotonic())


async def history_of(seed: str, seconds: float) -> History:
    """Clients at work for so long."""
    journal = Journal()
    log = MemoryEventLog(MemoryStore(lambda: datetime.now(UTC)))
    writer = await Writer(log).start()
    doors = MemoryDoors(writer, journal)
    clients = [
        Client(f"{seed}-{number}", doors, journal, seed, _SOON_S) for number in range(_CLIENTS)
    ]
    wallets = [await client.open_shared() for client in clients[:_WALLETS]]
    until = time.monotonic() + seconds
    await asyncio.gather(
        *(client.work(wallets, lambda: time.monotonic() > until) for client in clients)
    )
    for call in journal.calls[::3]:
        async with aiohttp.ClientSession() as session:
            await doors.send(session, call, Random(seed))  # noqa: S311 - not used
    rows = [_row(event) for event in await all_events(log)]
    await writer.stop()
    return History(journal, rows)


def _row(event: RecordedEvent) -> Row:
    return Row(
        position=event.position,
        wallet_id=event.stream_id,
        version=event.version,
        event_id=event.event_id,
        type=event.type,
        data=msgspec.json.decode(event.data),
        cause=msgspec.json.decode(event.metadata).get("causation_id"),
        at=event.recorded_at,
    )
