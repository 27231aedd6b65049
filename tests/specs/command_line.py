"""One tenant's commands from Kafka through an intake to Kafka, with topics of the test's own."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from copy import copy
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.structs import OffsetAndMetadata

from schemas.commands import Command, CreateWallet, CreditWallet, DebitWallet
from services.client import CommandClient
from services.intake.main import GROUP_ID

ROOT = Path(__file__).parents[2]
PARTITIONS = 3
PATIENCE_S = 40.0
"""A member that was killed keeps its partitions for a session timeout first."""


class Reply(NamedTuple):
    """A reply as a subscriber reads it."""

    topic: str
    command_id: str
    replayed: bool
    value: bytes


class CommandLine:
    """A tenant and the topics that its commands take; nobody else knows either."""

    def __init__(self, dsn: str, bootstrap: str, tenant_id: str) -> None:
        self.dsn = dsn
        self.bootstrap = bootstrap
        self.tenant_id = tenant_id
        prefix = f"test-{uuid4().hex[:8]}"
        self.commands = f"{prefix}.commands"
        self.results = f"{prefix}.command-results"
        self.rejected = f"{prefix}.commands.rejected"
        self.events = f"{prefix}.events"

    async def make_topics(self) -> None:
        """Make them all."""
        async with self._admin() as admin:
            names = (self.commands, self.results, self.rejected, self.events)
            await admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in names])

    async def let_kafka_take_results(self, *, yes: bool) -> None:
        """A topic whose messages may have one byte takes, and acknowledges, nothing."""
        resource = ConfigResource(
            ConfigResourceType.TOPIC,
            self.results,
            {"max.message.bytes": "1000000" if yes else "1"},
        )
        async with self._admin() as admin:
            await admin.alter_configs([resource])

    async def committed(self) -> int:
        """How many commands the group has done with."""
        async with self._admin() as admin:
            offsets = await admin.list_consumer_group_offsets(GROUP_ID)
        return sum(
            mark.offset for partition, mark in offsets.items() if partition.topic == self.commands
        )

    async def marks(self) -> set[str]:
        """What the group's offsets of the commands say beside how far it is."""
        async with self._admin() as admin:
            offsets = await admin.list_consumer_group_offsets(GROUP_ID)
        return {each.metadata for place, each in offsets.items() if place.topic == self.commands}

    async def wait_until_marked(self) -> None:
        """Come back when a ledger has put its mark there."""
        async with asyncio.timeout(PATIENCE_S):
            while not any(mark.startswith("ledger:") for mark in await self.marks()):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)

    async def set_offsets(self, metadata: str) -> None:
        """Put the group at the beginning of the commands, as no member."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, group_id=GROUP_ID, enable_auto_commit=False
        )
        await consumer.start()
        try:
            places = [TopicPartition(self.commands, number) for number in range(PARTITIONS)]
            consumer.assign(places)
            await consumer.commit({each: OffsetAndMetadata(0, metadata) for each in places})
        finally:
            await consumer.stop()

    def of_another(self, dsn: str) -> "CommandLine":
        """The same topics, with another ledger's database."""
        other = copy(self)
        other.dsn = dsn
        return other

    async def members(self) -> int:
        """How many processes share the commands among them."""
        async with self._admin() as admin:
            (answer,) = await admin.describe_consumer_groups([GROUP_ID])
        ((_, _, _, _, _, members, *_),) = answer.groups
        return len(members)

    @asynccontextmanager
    async def intake(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """A process of its own; it is stopped in an orderly way unless it was killed before."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "from services.command_line.main import main; main()",
            "intake",
            cwd=ROOT,
            env=os.environ
            | {
                "LEDGER_DATABASE_URL": self.dsn,
                "LEDGER_KAFKA_BOOTSTRAP": self.bootstrap,
                "LEDGER_COMMANDS_TOPIC": self.commands,
                "LEDGER_RESULTS_TOPIC": self.results,
                "LEDGER_REJECTED_TOPIC": self.rejected,
                "LEDGER_EVENTS_TOPIC": self.events,
                "LEDGER_HEALTH_PORT": "0",
            },
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
                assert await process.wait() == 0, "the intake stops in order"

    def client(self) -> CommandClient:
        """A client that is not yet started."""
        return CommandClient(
            self.bootstrap,
            self.tenant_id,
            "/test",
            commands_topic=self.commands,
            results_topic=self.results,
            rejected_topic=self.rejected,
        )

    async def open_wallet(self, client: CommandClient, credit: int = 0) -> str:
        """The id of a new wallet with that much in it."""
        created = await client.execute(
            CreateWallet(customer_id=uuid4().hex, currency="GHS"), timeout_s=PATIENCE_S
        )
        assert created.wallet is not None
        if credit:
            await client.execute(credit_of(created.wallet.id, credit))
        return created.wallet.id

    def message(self, command: Command, command_id: str) -> dict[str, Any]:
        """A command's message, as a producer's `append` or `send` takes it."""
        tag = type(command).__struct_config__.tag
        headers = {
            "ce_specversion": "1.0",
            "ce_id": command_id,
            "ce_source": "/test",
            "ce_type": f"ledger.command.{tag}.v1",
            "ce_tenantid": self.tenant_id,
        }
        return {
            "value": msgspec.json.encode(command),
            "headers": [(name, text.encode()) for name, text in headers.items()],
        }

    async def publish(self, messages: Sequence[dict[str, Any]], partition: int = 0) -> None:
        """Send messages to one partition, in order."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap)
        await producer.start()
        try:
            sent = [
                await producer.send(self.commands, partition=partition, **message)
                for message in messages
            ]
            await asyncio.gather(*sent)
        finally:
            await producer.stop()

    async def replies(self, count: int) -> list[Reply]:
        """Every reply from the beginning on, until `count` commands have one at least."""
        consumer = AIOKafkaConsumer(
            self.results,
            self.rejected,
            bootstrap_servers=self.bootstrap,
            auto_offset_reset="earliest",
        )
        await consumer.start()
        replies: list[Reply] = []
        try:
            async with asyncio.timeout(PATIENCE_S):
                while len({reply.command_id for reply in replies}) < count:
                    for records in (await consumer.getmany(timeout_ms=200)).values():
                        replies += [_reply(record) for record in records]
        finally:
            await consumer.stop()
        return replies

    async def fetchval(self, sql: str, *arguments: object) -> Any:
        """One value from the database."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return await connection.fetchval(sql, *arguments)
        finally:
            await connection.close()

    async def count_events(self, type_name: str) -> int:
        """How many events of a type the log holds."""
        return int(await self.fetchval("SELECT count(*) FROM events WHERE type = $1", type_name))

    async def wait_for_events(self, type_name: str, count: int) -> None:
        """Come back when the log holds that many."""
        async with asyncio.timeout(PATIENCE_S):
            while await self.count_events(type_name) < count:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()


def _reply(record: ConsumerRecord) -> Reply:
    headers = dict(record.headers)
    return Reply(
        record.topic, record.key.decode(), headers.get("ce_replayed") == b"true", record.value
    )


def credit_of(wallet_id: str, amount: int, reference: str = "") -> CreditWallet:
    """A credit, with a reference of its own unless another is given."""
    return CreditWallet(
        wallet_id=wallet_id, amount=amount, reference=reference or uuid4().hex, description="test"
    )


def debit_of(wallet_id: str, amount: int) -> DebitWallet:
    """A debit with a reference of its own."""
    return DebitWallet(
        wallet_id=wallet_id, amount=amount, reference=uuid4().hex, description="test"
    )
