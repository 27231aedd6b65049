"""A log, a topic of the test's own, and projectors between them and the read models."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from msgspec.structs import replace

from ledger.event_log.postgres import PostgresEventLog
from projections.interface import AnyProjection
from projections.registry import PROJECTIONS
from schemas.events import RecordedEvent
from services.projector.metrics import Readiness
from services.projector.projector import Projector
from services.runtime.administration import administering
from services.runtime.environment import SystemEnvironment
from services.runtime.kafka import partition_for
from services.runtime.settings import SecretText, Settings
from services.runtime.topic_identity import TopicIdentity, describe_topic
from services.runtime.topics import TopicUnavailableError
from tests.specs.event_factory import EventFactory, message_of, write_log

ROOT = Path(__file__).parents[2]
PARTITIONS = 3
PATIENCE_S = 45.0
"""A member that was killed keeps its partitions for a session timeout first."""

_PUBLISHED = """
INSERT INTO relay_progress AS known (generation, topic, topic_id, partition_count,
                                     published_position, published_hash, updated_at)
VALUES (1, $1, $2, $3, $4, $5, now())
ON CONFLICT (generation) DO UPDATE
SET published_position = excluded.published_position, published_hash = excluded.published_hash
WHERE known.published_position < excluded.published_position
"""

_VERSIONS = {
    "balances": "balances",
    "transactions": "transaction_progress",
    "trial_balance": "journal_progress",
}
"""Which table of a read model has a version for each wallet."""


class PublishedLog:
    """What stands before a projector; the relay's part is played by `publish`."""

    def __init__(
        self,
        dsn: str,
        bootstrap: str,
        connection: "asyncpg.Connection[Any]",
        relay_connection: "asyncpg.Connection[Any]",
    ) -> None:
        self.factory = EventFactory(seed=7)
        self.connection = connection
        self._relay_connection = relay_connection
        self.settings = Settings(
            database_url=SecretText(dsn),
            kafka_bootstrap=bootstrap,
            events_topic=f"test-{uuid4().hex[:8]}.events",
        )
        self.identity: TopicIdentity

    async def make_topic(self) -> None:
        """Make the topic."""
        async with self.admin() as admin:
            await admin.create_topics([NewTopic(self.settings.events_topic, PARTITIONS, 1)])

        async def is_known() -> bool:
            # The broker that is asked may hear of the topic after it was acknowledged.
            with suppress(TopicUnavailableError):
                self.identity = await describe_topic(self.settings, self.settings.events_topic)
                return True
            return False

        await wait_until(is_known)

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        """An administrator of the broker."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.settings.require_kafka_bootstrap())
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()

    async def write(self) -> list[RecordedEvent]:
        """Put what the factory made into the log."""
        return await write_log(self.connection, self.factory)

    async def publish(self, events: Sequence[RecordedEvent]) -> None:
        """Send events to the topic, in order, and record how far that got."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.settings.require_kafka_bootstrap(), enable_idempotence=True
        )
        await producer.start()
        try:
            sent = []
            for event in events:
                key, value, headers = message_of(event)
                sent.append(
                    await producer.send(
                        self.settings.events_topic,
                        value,
                        key,
                        partition_for(key, PARTITIONS),
                        headers=headers,
                    )
                )
            await asyncio.gather(*sent)
        finally:
            await producer.stop()
        if events:
            await self.record_published(events[-1])

    async def record_published(self, event: RecordedEvent) -> None:
        """Say that everything up to an event is in the topic."""
        await self._relay_connection.execute(
            _PUBLISHED,
            self.settings.events_topic,
            self.identity.topic_id,
            self.identity.partition_count,
            event.position,
            event.hash,
        )

    async def happen(self, wallet_count: int, event_count: int) -> list[str]:
        """Let things happen, and publish them; the new wallets' ids."""
        wallets = self.factory.history(wallet_count, event_count)
        await self.publish(await self.write())
        return wallets

    async def administer(self) -> None:
        """Let an administrator do all that one can do, and publish it."""
        dsn = self.settings.require_database_url()
        before = self.factory.position
        async with administering(dsn, "operator:test") as administrator:
            merchant = await administrator.create_merchant("Kiosk")
            tenant_id, merchant_id = merchant.live_tenant_id, UUID(merchant.merchant_id)
            key = await administrator.create_credential(tenant_id, ["wallets:read"])
            rotated = await administrator.rotate_credential(key.key_id, timedelta(hours=1))
            await administrator.create_credential(tenant_id, ["admin"])
            await administrator.revoke_credential(rotated.secret.key_id)
            await administrator.allow_redirect(merchant_id, "https://shop.example.com")
            await administrator.disallow_redirect(merchant_id, "https://shop.example.com")
            await administrator.allow_redirect(merchant_id, "https://kiosk.example.com")
            await administrator.begin_vault_maintenance("rotate_master_key")
        reading = PostgresEventLog(dsn)
        try:
            events = await reading.read(before, 1_000)
            head = await reading.head()
        finally:
            await reading.close()
        await self.publish(events)
        self.factory.go_on_after(head)

    @asynccontextmanager
    async def projector(self, name: str) -> AsyncIterator["asyncio.Task[None]"]:
        """A projector in this process, until it ends or the test does."""
        projection: AnyProjection = PROJECTIONS[name]
        readiness = Readiness()
        projector = Projector(self.settings, projection, SystemEnvironment(), readiness)
        task: asyncio.Task[None] = asyncio.create_task(projector.run())
        try:
            yield task
            # aiokafka leaves a connection open that it was just opening when it was cancelled.
            while not readiness.caught_up and not task.done():  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        finally:
            task.cancel()
            await asyncio.wait([task])

    @asynccontextmanager
    async def projector_process(self, name: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """A projector in a process of its own; it is stopped in order unless it was killed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "from services.command_line.main import main; main()",
            "projector",
            name,
            cwd=ROOT,
            env=os.environ
            | {
                "LEDGER_DATABASE_URL": self.settings.require_database_url(),
                "LEDGER_KAFKA_BOOTSTRAP": self.settings.require_kafka_bootstrap(),
                "LEDGER_EVENTS_TOPIC": self.settings.events_topic,
                "LEDGER_HEALTH_PORT": "0",
            },
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
                status = await process.wait()
                assert status == 0, f"the projector stops in order, not with {status}"

    async def folded(self, name: str) -> int:
        """How many events the read model has folded."""
        table = _VERSIONS[name]
        count = await self.connection.fetchval(f"SELECT coalesce(sum(version), 0) FROM {table}")  # noqa: S608
        return int(count)

    async def wait_until_folded(
        self, name: str, count: int, task: "asyncio.Task[None] | None" = None
    ) -> None:
        """Come back when the read model has folded that many events."""

        async def enough() -> bool:
            if task is not None and task.done():
                await task
            return await self.folded(name) >= count

        await wait_until(enough)
        assert await self.folded(name) == count, "no more than there is"


async def wait_until(condition: Callable[[], Any]) -> None:
    """Come back when it holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():  # noqa: ASYNC110 - another process makes it hold
            await asyncio.sleep(0.02)


@asynccontextmanager
async def published_log(dsn: str, bootstrap: str) -> AsyncIterator[PublishedLog]:
    """An empty log with an empty topic."""
    async with _log(dsn, bootstrap) as log:
        await log.make_topic()
        yield log


@asynccontextmanager
async def gone_on_with(log: PublishedLog, dsn: str) -> AsyncIterator[PublishedLog]:
    """A copy of a log's database, with the log's topic, which other copies read, too.

    What happens to it is in the copy alone as long as nothing is published.
    """
    async with _log(dsn, log.settings.require_kafka_bootstrap()) as copy:
        copy.settings = replace(copy.settings, events_topic=log.settings.events_topic)
        copy.identity = log.identity
        copy.factory = EventFactory(seed=8)
        reading = PostgresEventLog(dsn)
        try:
            copy.factory.go_on_after(await reading.head())
        finally:
            await reading.close()
        yield copy


@asynccontextmanager
async def _log(dsn: str, bootstrap: str) -> AsyncIterator[PublishedLog]:
    connection = await asyncpg.connect(dsn)
    relay_connection = await asyncpg.connect(dsn)
    try:
        yield PublishedLog(dsn, bootstrap, connection, relay_connection)
    finally:
        connection.terminate()
        relay_connection.terminate()
