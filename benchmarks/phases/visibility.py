"""From acknowledged to visible: in Kafka, and in both read models, under load.

While wrk makes the load, a few debits a second of wallets that nobody else touches are
followed. What is measured is when this process sees them, so its own delay is in it.
"""

import asyncio
import math
import time
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import aiohttp
from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec import Struct

from benchmarks import progress
from benchmarks.bench import Bench
from benchmarks.load import LoadResult
from benchmarks.measurement import MeasurementError
from benchmarks.progress import PROJECTIONS
from benchmarks.stack import Stack
from benchmarks.wallets import PROBED_PARTITION, client
from schemas.identifiers import hex_of
from services.runtime.kafka import client_options
from services.runtime.postgres import Connection, connect
from services.runtime.sql import load_statement

READ_MODELS = PROJECTIONS
PLACES = ("Kafka", *READ_MODELS)

_VISIBLE = load_statement(progress.__file__, "visible_versions")
_POLL_SECONDS = 0.005
_LAST_WAIT_SECONDS = 10.0
_READ_TIMEOUT_MS = 200


class Delay(Struct, frozen=True, kw_only=True):
    """How long after its acknowledgement a debit was seen somewhere, in milliseconds."""

    p50_ms: float
    p99_ms: float


class Visibility(Struct, frozen=True, kw_only=True):
    """The delays at one rate of load."""

    load: LoadResult
    probes: int
    delays: dict[str, Delay]
    """By place: Kafka, and each read model."""


class Debit(NamedTuple):
    """One event: its wallet and the stream version that it made."""

    wallet: str
    version: int


class _Followed:
    """Debits that were acknowledged and not seen everywhere yet. Times are monotonic seconds."""

    def __init__(self) -> None:
        self.waiting: dict[str, dict[Debit, float]] = {place: {} for place in PLACES}
        """By place: since when."""
        self.delays_ms: dict[str, list[float]] = {place: [] for place in PLACES}
        self._published: dict[Debit, float] = {}

    def acknowledge(self, debit: Debit, at: float) -> None:
        """The answer is here; from now on it should be visible."""
        for place in PLACES:
            self.waiting[place][debit] = at
        if debit in self._published:
            self._see("Kafka", debit, self._published.pop(debit))

    def publish(self, debit: Debit, at: float) -> None:
        """Kafka has shown it, perhaps before the answer was here."""
        if debit in self.waiting["Kafka"]:
            self._see("Kafka", debit, at)
        else:
            self._published.setdefault(debit, at)

    def show(self, place: str, wallet: str, version: int, at: float) -> None:
        """A read model shows a wallet at a version, and so everything up to it."""
        for debit in [each for each in self.waiting[place] if each.wallet == wallet]:
            if debit.version <= version:
                self._see(place, debit, at)

    def _see(self, place: str, debit: Debit, at: float) -> None:
        # What was seen before the answer was here had no delay at all.
        since = self.waiting[place].pop(debit)
        self.delays_ms[place].append(max(0.0, at - since) * 1000)


async def visibility(bench: Bench, per_second: float) -> Visibility:
    """Follow debits while others come at a rate."""
    plan, stack, followed = bench.plan, bench.stack, _Followed()
    connection = await connect(stack.dsn, "ledger bench probe")
    consumer = await _consumer(stack)
    watchers = [
        asyncio.create_task(_watch_kafka(consumer, frozenset(bench.wallets.probed), followed)),
        asyncio.create_task(_watch_read_models(connection, stack, followed)),
    ]
    try:
        async with bench.generator.running(
            "debit", bench.wallets.spread, seconds=plan.visibility_seconds, per_second=per_second
        ) as run:
            issued, load = await asyncio.gather(_issue(bench, followed), run.finish())
        await _until_all_seen(followed, watchers)
    finally:
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)
        await consumer.stop()
        await connection.close()
    bench.generator.debits.acknowledged += issued
    await bench.progress.until_caught_up()
    delays = {place: _delay(sorted(ms)) for place, ms in followed.delays_ms.items()}
    return Visibility(load=load, probes=issued, delays=delays)


async def _issue(bench: Bench, followed: _Followed) -> int:
    """Debit at a fixed pace, one after another; how many were acknowledged."""
    plan, wallets = bench.plan, bench.wallets.probed
    interval = 1 / plan.visibility_probes_per_second
    # The load has its own first second, and ends before the last probes do.
    began = time.monotonic() + 1
    count = int((plan.visibility_seconds - 2) / interval)
    async with client(bench.stack) as session:
        for number in range(count):
            await asyncio.sleep(max(0.0, began + number * interval - time.monotonic()))
            await _debit(session, wallets[number % len(wallets)], number, followed)
    return count


async def _debit(
    session: aiohttp.ClientSession, wallet: str, number: int, followed: _Followed
) -> None:
    body = {"amount": 1, "description": "probe", "reference": f"bench-probe-{number}"}
    async with session.post(f"/v1/wallets/{wallet}/debit", json=body) as answer:
        acknowledged = time.monotonic()
        if answer.status != 200:
            raise MeasurementError(f"a probe was answered {answer.status}: {await answer.text()}")
        version = int(answer.headers["ETag"].strip('"'))
    followed.acknowledge(Debit(wallet, version), acknowledged)


async def _watch_kafka(
    consumer: AIOKafkaConsumer, probed: frozenset[str], followed: _Followed
) -> None:
    while True:
        found = await consumer.getmany(timeout_ms=_READ_TIMEOUT_MS)
        now = time.monotonic()
        for records in found.values():
            for record in records:
                wallet = record.key.decode()
                if wallet in probed:
                    version = int(dict(record.headers)["ce_version"])
                    followed.publish(Debit(wallet, version), now)


async def _watch_read_models(connection: Connection, stack: Stack, followed: _Followed) -> None:
    tenant = UUID(stack.tenant_id)
    while True:
        await asyncio.sleep(_POLL_SECONDS)
        names = {
            UUID(hex_of(debit.wallet)): debit.wallet
            for place in READ_MODELS
            for debit in followed.waiting[place]
        }
        if not names:
            continue
        rows = await connection.fetch(_VISIBLE, tenant, list(names))
        now = time.monotonic()
        for row in rows:
            for place in READ_MODELS:
                wallet, version = names[row["wallet_id"]], row[f"{place}_version"]
                followed.show(place, wallet, version, now)


async def _consumer(stack: Stack) -> AIOKafkaConsumer:
    """Reads the one partition that the probed wallets are on, from its end."""
    consumer = AIOKafkaConsumer(**client_options(stack.settings, "ledger-bench-probe"))
    await consumer.start()
    partition = TopicPartition(stack.settings.events_topic, PROBED_PARTITION)
    consumer.assign([partition])
    await consumer.seek_to_end(partition)
    await consumer.position(partition)
    return consumer


async def _until_all_seen(followed: _Followed, watchers: Sequence["asyncio.Task[None]"]) -> None:
    deadline = time.monotonic() + _LAST_WAIT_SECONDS
    while any(followed.waiting.values()):
        for watcher in watchers:
            if watcher.done():
                watcher.result()
        if time.monotonic() > deadline:
            missing = {place: len(debits) for place, debits in followed.waiting.items()}
            raise MeasurementError(f"debits were acknowledged and not seen: {missing}")
        await asyncio.sleep(_POLL_SECONDS)


def _delay(sorted_ms: list[float]) -> Delay:
    return Delay(p50_ms=_percentile(sorted_ms, 0.50), p99_ms=_percentile(sorted_ms, 0.99))


def _percentile(ordered: list[float], share: float) -> float:
    """The smallest of these that so large a share of all does not exceed."""
    if not ordered:
        raise MeasurementError("no debit was followed")
    return ordered[math.ceil(share * len(ordered)) - 1]
