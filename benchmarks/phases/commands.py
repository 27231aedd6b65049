"""Commands through Kafka: published while the intake stands still, then settled by it.

The time runs from the moment when the intake goes on until Kafka has all its results.
"""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec import Struct

from benchmarks.bench import Bench
from benchmarks.measurement import MeasurementError
from benchmarks.publish_commands import Order
from benchmarks.stack import ROOT
from schemas.results import CommandResult
from services.runtime.kafka import client_options

_POLL_SECONDS = 0.05
_LIMIT_SECONDS = 180
_READ_TIMEOUT_MS = 5_000

_decode = msgspec.json.Decoder(CommandResult).decode


class Commands(Struct, frozen=True, kw_only=True):
    """A backlog of commands that was settled. Only accepted ones count."""

    accepted: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Accepted commands per second."""
        return self.accepted / self.seconds


async def settle_backlog(bench: Bench, count: int, prefix: str) -> Commands:
    """Publish `count` debits, let the intake settle them, and read what they came to."""
    topic = bench.stack.settings.results_topic
    before = await bench.progress.ends(topic)
    async with _prepared_publisher(bench, count, prefix) as publisher:
        with bench.stack.suspended("intake"):
            await _publish(publisher)
            began = time.perf_counter()
    await _until_answered(bench, sum(before.values()) + count)
    seconds = time.perf_counter() - began
    statuses = await _statuses(bench, before, count)
    if statuses["accepted"] != count:
        bench.say(f"  results: {dict(statuses)}")
    return Commands(accepted=statuses["accepted"], seconds=seconds)


@asynccontextmanager
async def _prepared_publisher(
    bench: Bench, count: int, prefix: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    settings = bench.stack.settings
    order = Order(
        bootstrap=settings.require_kafka_bootstrap(),
        topic=settings.commands_topic,
        partitions=settings.topic_partitions,
        tenant_id=bench.stack.tenant_id,
        wallets=bench.wallets.spread,
        count=count,
        prefix=prefix,
    )
    publisher = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.publish_commands"),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert publisher.stdin is not None
        publisher.stdin.write(msgspec.json.encode(order) + b"\n")
        await _expect(publisher, b"prepared")
        yield publisher
    finally:
        if publisher.returncode is None:
            publisher.kill()
            await publisher.wait()


async def _publish(publisher: asyncio.subprocess.Process) -> None:
    assert publisher.stdin is not None
    publisher.stdin.write(b"go\n")
    await _expect(publisher, b"sent")
    await publisher.wait()


async def _expect(publisher: asyncio.subprocess.Process, word: bytes) -> None:
    assert publisher.stdout is not None
    said = await publisher.stdout.readline()
    if said.strip() != word:
        raise MeasurementError(f"the publisher of commands said {said!r} and not {word!r}")


async def _until_answered(bench: Bench, messages: int) -> None:
    topic = bench.stack.settings.results_topic
    deadline = time.monotonic() + _LIMIT_SECONDS
    while (answered := await bench.progress.messages(topic)) < messages:
        if time.monotonic() > deadline:
            message = f"the intake answered {answered} of {messages} in {_LIMIT_SECONDS} s"
            raise MeasurementError(message)
        await asyncio.sleep(_POLL_SECONDS)


async def _statuses(bench: Bench, since: dict[TopicPartition, int], count: int) -> Counter[str]:
    """What the results say that came since those offsets."""
    statuses: Counter[str] = Counter()
    consumer = AIOKafkaConsumer(**client_options(bench.stack.settings, "ledger-bench-results"))
    await consumer.start()
    try:
        consumer.assign(list(since))
        for partition, offset in since.items():
            consumer.seek(partition, offset)
        while statuses.total() < count:
            found = await consumer.getmany(timeout_ms=_READ_TIMEOUT_MS)
            if not found:
                raise MeasurementError(f"only {statuses.total()} of {count} results can be read")
            for records in found.values():
                statuses.update(_decode(record.value).status for record in records)
    finally:
        await consumer.stop()
    return statuses
