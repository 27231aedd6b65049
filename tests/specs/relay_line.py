"""One log, relays as processes of their own, and a topic of the test's own to read."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import asyncpg
import msgspec
from aiokafka import ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from schemas.identifiers import stream_name
from tests.specs.topic_reading import all_records

ROOT = Path(__file__).parents[2]
PARTITIONS = 6

_PUBLISHED_POSITION = """
SELECT coalesce((SELECT published_position FROM relay_progress WHERE NOT is_filling
                 ORDER BY generation DESC LIMIT 1), 0)
"""


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


class RelayLine:
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
                "services.command_line",
                "relay",
                cwd=ROOT,
                stdout=file,
                stderr=file,
                env=self._environment() | settings,
            )
        relay = RelayProcess(process, output)
        self._relays.append(relay)
        return relay

    async def repartition(self, *arguments: str) -> asyncio.subprocess.Process:
        """Start `ledger repartition`, with what it says in a pipe."""
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.command_line", "repartition", *arguments),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=self._environment(),
        )

    def _environment(self) -> dict[str, str]:
        return os.environ | {
            "LEDGER_DATABASE_URL": self.dsn,
            "LEDGER_KAFKA_BOOTSTRAP": self.bootstrap,
            "LEDGER_EVENTS_TOPIC": self.topic,
            "LEDGER_TOPIC_PARTITIONS": str(PARTITIONS),
        }

    async def published_position(self) -> int:
        """How far the relay says that it is, in the topic that everybody goes by."""
        position = await self.connection.fetchval(_PUBLISHED_POSITION)
        return int(position)

    async def until_published(self, position: int, timeout_s: float = 30.0) -> None:
        """Wait until the relay says that it is so far."""
        async with asyncio.timeout(timeout_s):
            while True:
                if await self.published_position() >= position:
                    return
                await asyncio.sleep(0.01)

    async def received(
        self, topic: str | None = None, partition_count: int = PARTITIONS
    ) -> list[Received]:
        """Everything that a topic holds now, partition by partition, in order."""
        records = await all_records(self.bootstrap, topic or self.topic, partition_count)
        return [_received(record) for record in records]

    async def make_topic_again(self) -> None:
        """Delete the topic and make another of the same name."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            await admin.delete_topics([self.topic])
            async with asyncio.timeout(10):
                while True:
                    response = await admin.create_topics([NewTopic(self.topic, PARTITIONS, 1)])
                    if response.topic_errors[0][1] == 0:
                        return
                    await asyncio.sleep(0.05)
        finally:
            await admin.close()

    async def log(self) -> dict[str, list[tuple[int, int, str]]]:
        """The log: per wallet, its events' version, position and hash."""
        events: dict[str, list[tuple[int, int, str]]] = {}
        for row in await self.connection.fetch(
            "SELECT tenant_id, stream_id, version, position, hash FROM events ORDER BY position"
        ):
            stream = stream_name(row["tenant_id"], row["stream_id"])
            events.setdefault(stream, []).append(
                (row["version"], row["position"], row["hash"].hex())
            )
        return events


def _received(record: ConsumerRecord) -> Received:
    headers = dict(record.headers)
    assert record.key == headers["ce_subject"], "a message is keyed by its stream"
    type_name = json.loads(record.value)["type"]
    assert headers["ce_type"] == f"ledger.{type_name}.v1".encode()
    assert type_name == "wallet.credited" or record.key.startswith(b"ten_")
    return Received(
        record.partition,
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
