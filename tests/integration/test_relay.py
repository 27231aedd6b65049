"""The relay as processes, on real PostgreSQL and Kafka: complete, in order, whatever dies."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import asyncpg
import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from schemas.identifiers import wallet_id
from services.relay.leadership import GENERATION, LOCK_CLASS
from services.runtime.kafka import partition_for
from tests.specs.log_seed import append_seed

ROOT = Path(__file__).parents[2]
PARTITIONS = 6
TAKEOVER_S = 6.0
"""How long a standby may take after its leader fell silent."""


class Received(NamedTuple):
    """A message of the topic, as far as order and completeness go."""

    partition: int
    wallet: str
    version: int
    position: int
    hash: str


class RelayProcess:
    """`ledger relay` in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, output: Path) -> None:
        self.process = process
        self._output = output

    def logged(self, event: str) -> list[dict[str, Any]]:
        """The lines that it has logged of an event."""
        lines = self._output.read_bytes().splitlines()
        entries: list[dict[str, Any]] = [msgspec.json.decode(line) for line in lines if line]
        return [entry for entry in entries if entry["event"] == event]

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    async def ended(self) -> int:
        """Its exit status, once it has ended."""
        async with asyncio.timeout(15):
            return await self.process.wait()


class Line:
    """A log and a topic of the test's own, and the relays between them."""

    def __init__(self, dsn: str, bootstrap: str, folder: Path) -> None:
        self.dsn = dsn
        self.bootstrap = bootstrap
        self.topic = f"test-{uuid4().hex[:8]}.events"
        self._folder = folder
        self._relays: list[RelayProcess] = []
        self.connection: asyncpg.Connection[asyncpg.Record]

    async def open(self) -> None:
        """Connect to the log."""
        self.connection = await asyncpg.connect(self.dsn)

    async def close(self) -> None:
        """Kill whatever still runs."""
        for relay in self._relays:
            if relay.process.returncode is None:
                relay.signal(signal.SIGKILL)
                await relay.ended()
        await self.connection.close()

    async def relay(self, **settings: str) -> RelayProcess:
        """Start a relay."""
        output = self._folder / f"relay-{len(self._relays)}.log"
        with output.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "services.cli",
                "relay",
                cwd=ROOT,
                stdout=file,
                stderr=file,
                env=os.environ
                | {
                    "LEDGER_DATABASE_URL": self.dsn,
                    "LEDGER_KAFKA_BOOTSTRAP": self.bootstrap,
                    "LEDGER_EVENTS_TOPIC": self.topic,
                    "LEDGER_TOPIC_PARTITIONS": str(PARTITIONS),
                }
                | settings,
            )
        relay = RelayProcess(process, output)
        self._relays.append(relay)
        return relay

    async def published_position(self) -> int:
        """How far the relay says that it is."""
        position = await self.connection.fetchval(
            "SELECT coalesce(max(published_position), 0) FROM relay_progress"
        )
        return int(position)

    async def until_published(self, position: int, timeout_s: float = 30.0) -> None:
        """Wait until the relay says that it is so far."""
        async with asyncio.timeout(timeout_s):
            while True:
                if await self.published_position() >= position:
                    return
                await asyncio.sleep(0.01)

    async def received(self) -> list[Received]:
        """Everything that the topic holds now, partition by partition, in order."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False)
        await consumer.start()
        try:
            partitions = [TopicPartition(self.topic, number) for number in range(PARTITIONS)]
            ends = await consumer.end_offsets(partitions)
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            messages: list[Received] = []
            while len(messages) < sum(ends.values()):
                batch = await consumer.getmany(timeout_ms=1000)
                for partition, records in batch.items():
                    messages += [_received(partition.partition, record) for record in records]
            return messages
        finally:
            await consumer.stop()

    async def log(self) -> dict[str, list[tuple[int, int, str]]]:
        """The log: per wallet, its events' version, position and hash."""
        events: dict[str, list[tuple[int, int, str]]] = {}
        for row in await self.connection.fetch(
            "SELECT stream_id, version, position, hash FROM events ORDER BY position"
        ):
            events.setdefault(wallet_id(row["stream_id"].hex), []).append(
                (row["version"], row["position"], row["hash"].hex())
            )
        return events


def _received(partition: int, record: Any) -> Received:
    headers = dict(record.headers)
    assert record.key == headers["ce_subject"], "a message is keyed by its wallet"
    assert json.loads(record.value)["type"] == "wallet.credited"
    return Received(
        partition,
        record.key.decode(),
        int(headers["ce_version"]),
        int(headers["ce_position"]),
        headers["ce_hash"].decode(),
    )


def heard(messages: list[Received]) -> dict[str, list[tuple[int, int, str]]]:
    """What a subscriber gets that ignores a version not above the wallet's highest."""
    events: dict[str, list[tuple[int, int, str]]] = {}
    for message in messages:
        stream = events.setdefault(message.wallet, [])
        if not stream or message.version > stream[-1][0]:
            stream.append((message.version, message.position, message.hash))
    return events


async def until(condition: Callable[[], Any], timeout_s: float) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(timeout_s):
        while True:
            if condition():
                return
            await asyncio.sleep(0.02)


@pytest.fixture
async def line(database: str, kafka_server: str, tmp_path: Path) -> AsyncIterator[Line]:
    """A migrated database, a topic that does not exist yet, no relay."""
    line = Line(database, kafka_server, tmp_path)
    await line.open()
    yield line
    await line.close()


async def test_the_log_is_published_once_in_order_and_to_the_right_partitions(line: Line) -> None:
    last = await append_seed(line.connection, 5000)
    relay = await line.relay()
    await line.until_published(last)
    for _ in range(20):
        last = await append_seed(line.connection, 3)
    await line.until_published(last)

    relay.signal(signal.SIGTERM)
    assert await relay.ended() == 0, "a relay stops in order"

    messages = await line.received()
    assert len(messages) == last, "without a failure nothing is published twice"
    assert heard(messages) == await line.log()
    for message in messages:
        assert message.partition == partition_for(message.wallet.encode(), PARTITIONS)
    recorded = await line.connection.fetchrow(
        "SELECT published_position, published_hash = hash AS same"
        " FROM relay_progress JOIN events ON position = published_position"
    )
    assert recorded is not None
    assert (recorded["published_position"], recorded["same"]) == (last, True)


async def test_an_append_is_published_at_once(line: Line) -> None:
    """Far below the polling pace of anything slow; the machine may be busy, so not below 1 s."""
    relay = await line.relay()
    await until(lambda: relay.logged("leading"), 30)

    for _ in range(5):
        last = await append_seed(line.connection, 1)
        await line.until_published(last, timeout_s=1.0)


@pytest.mark.parametrize("standing_by", [True, False], ids=["standby", "started anew"])
async def test_a_killed_relay_is_resumed_with_nothing_lost(line: Line, standing_by: bool) -> None:
    last = await append_seed(line.connection, 60_000)
    leader = await line.relay()
    if standing_by:
        await until(lambda: leader.logged("leading"), 30)
        await line.relay()
    await line.until_published(1)

    leader.signal(signal.SIGKILL)
    await leader.ended()
    killed_at = await line.published_position()
    assert killed_at < last, "it was killed midway"
    if not standing_by:
        await line.relay()
    await line.until_published(last)

    messages = await line.received()
    assert len(messages) >= last
    assert heard(messages) == await line.log()


@pytest.mark.parametrize("busy", [True, False], ids=["busy", "idle"])
async def test_a_stopped_leader_is_replaced_and_does_no_harm_when_it_wakes(
    line: Line, busy: bool
) -> None:
    last = await append_seed(line.connection, 60_000 if busy else 100)
    leader = await line.relay()
    await line.until_published(1 if busy else last)
    if not busy:
        await asyncio.sleep(0.5)
    leader.signal(signal.SIGSTOP)
    stopped_at = asyncio.get_running_loop().time()
    standby = await line.relay()

    await until(lambda: standby.logged("leading"), TAKEOVER_S + 2)
    assert asyncio.get_running_loop().time() - stopped_at < TAKEOVER_S
    last = await append_seed(line.connection, 100)
    await line.until_published(last)
    leader.signal(signal.SIGCONT)
    await until(lambda: leader.logged("session_lost") and leader.logged("standing_by"), 10)
    last = await append_seed(line.connection, 100)
    await line.until_published(last)

    assert heard(await line.received()) == await line.log()
    assert len(leader.logged("leading")) == 1, "the woken one stands by"
    assert await line.published_position() == last


async def test_a_leader_stuck_in_a_statement_is_evicted(line: Line) -> None:
    """Stopped while PostgreSQL sends it a page, it is not idle: no idle timeout ends it."""
    stuck = await asyncpg.connect(line.dsn)
    await stuck.execute("SELECT pg_advisory_lock($1::integer, $2::integer)", LOCK_CLASS, GENERATION)
    statement = asyncio.create_task(stuck.execute("SELECT pg_sleep(60)"))
    last = await append_seed(line.connection, 10)

    await line.relay()

    await line.until_published(last, timeout_s=TAKEOVER_S + 5)
    with pytest.raises(asyncpg.AdminShutdownError):
        await statement


async def _make_again(kafka_server: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_server)
    await admin.start()
    try:
        await admin.delete_topics([topic])
        async with asyncio.timeout(10):
            while True:
                response = await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
                if response.topic_errors[0][1] == 0:
                    return
                await asyncio.sleep(0.05)
    finally:
        await admin.close()


async def test_a_topic_that_was_made_again_is_refused(line: Line, kafka_server: str) -> None:
    last = await append_seed(line.connection, 10)
    first = await line.relay()
    await line.until_published(last)
    first.signal(signal.SIGTERM)
    await first.ended()
    await _make_again(kafka_server, line.topic)
    last = await append_seed(line.connection, 10)

    second = await line.relay()

    assert await second.ended() == 1
    (refusal,) = second.logged("topic_refused")
    assert refusal["topic_id"] != refusal["recorded_topic_id"]
    assert await line.published_position() == last - 10
    assert await line.received() == []


async def test_another_number_of_partitions_is_refused(line: Line) -> None:
    await append_seed(line.connection, 10)
    first = await line.relay()
    await line.until_published(10)
    first.signal(signal.SIGTERM)
    await first.ended()
    await line.connection.execute("UPDATE relay_progress SET partition_count = 5")

    second = await line.relay()

    assert await second.ended() == 1
    assert second.logged("topic_refused")


@pytest.mark.parametrize("at_the_end", [False, True], ids=["in the middle", "at the end"])
async def test_a_hole_in_the_log_stops_the_relay(line: Line, at_the_end: bool) -> None:
    last = await append_seed(line.connection, 100)
    hole = last if at_the_end else 50
    await line.connection.execute("ALTER TABLE events DISABLE TRIGGER append_only")
    await line.connection.execute("DELETE FROM events WHERE position = $1", hole)

    relay = await line.relay()

    assert await relay.ended() == 1
    assert relay.logged("log_gap")
    assert await line.published_position() < hole


async def test_a_log_that_lost_what_was_published_stops_the_relay(line: Line) -> None:
    last = await append_seed(line.connection, 100)
    first = await line.relay()
    await line.until_published(last)
    first.signal(signal.SIGTERM)
    await first.ended()
    await line.connection.execute("ALTER TABLE events DISABLE TRIGGER append_only")
    await line.connection.execute("DELETE FROM events WHERE position > 90")

    second = await line.relay()

    assert await second.ended() == 1
    (divergence,) = second.logged("log_diverged")
    assert divergence["published_position"] == last
    assert divergence["log_hash"] is None


async def test_a_lost_session_is_made_again(line: Line) -> None:
    relay = await line.relay()
    await until(lambda: relay.logged("leading"), 30)
    await line.connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'ledger relay' AND datname = current_database()"
    )
    last = await append_seed(line.connection, 10)

    await line.until_published(last)

    assert heard(await line.received()) == await line.log()
    assert relay.process.returncode is None
