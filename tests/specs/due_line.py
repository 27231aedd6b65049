"""A read model in which things are due, and schedulers as processes of their own.

The rows come by SQL: this is for tests of what asks the read model, not of what fills it.
The commands go to a topic of the test's own.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import asyncpg
import msgspec
from aiokafka import ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from ledger.command_handling.submission import Submission
from schemas.identifiers import wallet_id
from services.intake.messages import read_message
from services.runtime.kafka import partition_for
from tests.specs.topic_reading import all_records

ROOT = Path(__file__).parents[2]
PARTITIONS = 3
PATIENCE_S = 30.0
TENANTS = tuple(UUID(int=number) for number in (0xA, 0xB))
"""Wallets belong to these in turn."""

_WALLETS = """
INSERT INTO balances (tenant_id, wallet_id, version, customer_id, user_id, currency, status,
                      balance, available_balance, opened_position, created_at, updated_at,
                      metadata, expiring_amount, expiring_next_at, expiring_next_amount)
SELECT ($3::uuid[])[1 + n % cardinality($3)], md5($1 || n)::uuid, 2, 'customer-' || n,
       md5('user' || n)::uuid, 'GHS', 'active', 100, 100, n, now(), now(), 'null',
       100, clock_timestamp() + $4::interval, 100
FROM generate_series(1, $2::integer) AS n
RETURNING tenant_id, wallet_id, expiring_next_at AS due_at
"""
_HOLDS = """
INSERT INTO holds (tenant_id, wallet_id, hold_id, opened_version, status, amount,
                   captured_amount, held_amount, currency, reference, description, metadata,
                   expires_at, created_at, updated_at, version)
SELECT ($3::uuid[])[1 + n % cardinality($3)], md5($1 || n)::uuid, md5('hold' || $1 || n)::uuid, 3,
       'open', 100, 0, 100, 'GHS', 'hold-' || n, '', 'null',
       clock_timestamp() + $4::interval, now(), now(), 3
FROM generate_series(1, $2::integer) AS n
RETURNING tenant_id, wallet_id, expires_at AS due_at
"""
_TOPUPS = """
INSERT INTO topups (tenant_id, wallet_id, topup_id, opened_version, status, amount, currency,
                    reference, description, redirect_url, metadata, expires_at, created_at,
                    updated_at, version)
SELECT ($3::uuid[])[1 + n % cardinality($3)], md5($1 || n)::uuid, md5('topup' || $1 || n)::uuid, 2,
       'pending', 100, 'GHS', 'topup-' || n, '', 'https://shop.example/thanks', 'null',
       clock_timestamp() + $4::interval, now(), now(), 2
FROM generate_series(1, $2::integer) AS n
RETURNING tenant_id, wallet_id, expires_at AS due_at
"""
_LAPSE = """
UPDATE balances SET balance = 0, available_balance = 0, version = version + 1,
                    expiring_amount = NULL, expiring_next_at = NULL, expiring_next_amount = NULL
WHERE wallet_id = ANY ($1::uuid[])
"""


class Due(NamedTuple):
    """What is due in a wallet, and since when."""

    tenant_id: str
    wallet_id: str
    due_at: datetime


class Published(NamedTuple):
    """A command as the intake reads it, and when Kafka got it."""

    submission: Submission
    at_ms: int


class SchedulerProcess(NamedTuple):
    """`ledger scheduler` in a process of its own."""

    process: asyncio.subprocess.Process
    output: Path

    def logged(self, event: str) -> list[dict[str, Any]]:
        """The lines that it has logged of an event."""
        entries = [msgspec.json.decode(line) for line in self.output.read_bytes().splitlines()]
        return [entry for entry in entries if entry["event"] == event]

    async def end(self, number: signal.Signals) -> int:
        """Send it a signal; its exit status, once it has ended."""
        self.process.send_signal(number)
        async with asyncio.timeout(15):
            return await self.process.wait()


class DueLine:
    """A read model and a topic of the test's own, and the schedulers between them."""

    def __init__(self, dsn: str, bootstrap: str, folder: Path) -> None:
        self.topic = f"test-{uuid4().hex[:8]}.commands"
        self._dsn = dsn
        self._bootstrap = bootstrap
        self._folder = folder
        self._schedulers: list[SchedulerProcess] = []
        self.connection: asyncpg.Connection[asyncpg.Record]

    async def open(self) -> None:
        """Connect to the read model, and make the topic."""
        self.connection = await asyncpg.connect(self._dsn)
        admin = await self._admin()
        try:
            await admin.create_topics([NewTopic(self.topic, PARTITIONS, 1)])
        finally:
            await admin.close()

    async def close(self) -> None:
        """Stop whatever still runs, in order."""
        try:
            for scheduler in self._schedulers:
                if scheduler.process.returncode is None:
                    assert await scheduler.end(signal.SIGTERM) == 0, "a scheduler stops in order"
        finally:
            await self.connection.close()

    async def scheduler(self, **settings: str) -> SchedulerProcess:
        """Start a scheduler."""
        output = self._folder / f"scheduler-{len(self._schedulers)}.log"
        with output.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "services.command_line", "scheduler"),
                cwd=ROOT,
                stdout=file,
                stderr=file,
                env=os.environ
                | {
                    "LEDGER_DATABASE_URL": self._dsn,
                    "LEDGER_KAFKA_BOOTSTRAP": self._bootstrap,
                    "LEDGER_COMMANDS_TOPIC": self.topic,
                }
                | settings,
            )
        scheduler = SchedulerProcess(process, output)
        self._schedulers.append(scheduler)
        return scheduler

    async def lots(self, count: int, *, in_s: float) -> list[Due]:
        """New wallets, each with a credit that lapses in so many seconds, less than 0 in the past.

        The moments differ.
        """
        return await self._seed(_WALLETS, count, in_s)

    async def holds(self, count: int, *, in_s: float) -> list[Due]:
        """Holds that expire in so many seconds, each of a wallet of its own."""
        return await self._seed(_HOLDS, count, in_s)

    async def topups(self, count: int, *, in_s: float) -> list[Due]:
        """Top-ups that expire in so many seconds, each of a wallet of its own."""
        return await self._seed(_TOPUPS, count, in_s)

    async def _seed(self, statement: str, count: int, in_s: float) -> list[Due]:
        rows = await self.connection.fetch(
            statement, uuid4().hex, count, TENANTS, timedelta(seconds=in_s)
        )
        return [
            Due(str(row["tenant_id"]), wallet_id(row["wallet_id"].hex), row["due_at"])
            for row in rows
        ]

    async def show_lapsed(self, due: Sequence[Due]) -> None:
        """The read model has caught up: these credits are gone."""
        wallets = [UUID(each.wallet_id.removeprefix("wal_")) for each in due]
        await self.connection.execute(_LAPSE, wallets)

    async def let_kafka_take_commands(self, *, yes: bool) -> None:
        """A topic whose messages may have one byte takes, and acknowledges, nothing."""
        resource = ConfigResource(
            ConfigResourceType.TOPIC,
            self.topic,
            {"max.message.bytes": "1000000" if yes else "1"},
        )
        admin = await self._admin()
        try:
            await admin.alter_configs([resource])
        finally:
            await admin.close()

    async def published(self) -> list[Published]:
        """Everything that the topic holds now. The intake would take each of them."""
        records = await all_records(self._bootstrap, self.topic, PARTITIONS)
        return [_published(record) for record in records]

    async def until_published(self, count: int) -> list[Published]:
        """Everything that the topic holds, once that is so many messages."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = await self.published()
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.1)

    async def _admin(self) -> AIOKafkaAdminClient:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        await admin.start()
        return admin


def _published(record: ConsumerRecord) -> Published:
    submission = read_message(record.headers, record.value)
    assert isinstance(submission, Submission), submission
    assert record.partition == partition_for(record.key, PARTITIONS)
    assert record.key.decode() == getattr(submission.command, "wallet_id", None)
    return Published(submission, record.timestamp)
