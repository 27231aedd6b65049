"""How far everything got: the log, the relay, and each projector, in positions and offsets."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.measurement import MeasurementError
from benchmarks.stack import Stack
from services.runtime.consumers import stop_consumer
from services.runtime.kafka import client_options
from services.runtime.postgres import Connection, connect
from services.runtime.settings import Settings
from services.runtime.sql import load_statement

PROJECTIONS = ("balances", "transactions", "trial_balance")

_HEAD = load_statement(__file__, "head")
_PUBLISHED = load_statement(__file__, "published")
_FOLDED = load_statement(__file__, "folded")
_LAG = load_statement(__file__, "lag")
_POLL_SECONDS = 0.1
_CATCH_UP_SECONDS = 300


class Progress:
    """Looks at one stack, by a connection and a consumer of its own."""

    def __init__(
        self, connection: Connection, consumer: AIOKafkaConsumer, settings: Settings
    ) -> None:
        self.connection = connection
        self._consumer = consumer
        self._settings = settings

    async def head(self) -> int:
        """The newest position of the log."""
        return int(await self.connection.fetchval(_HEAD) or 0)

    async def published(self) -> int:
        """The position up to which Kafka is recorded to have everything."""
        return int(await self.connection.fetchval(_PUBLISHED) or 0)

    async def folded(self, projection: str) -> int:
        """How many messages of the topic a projection has dealt with."""
        return sum(row["next_offset"] for row in await self.connection.fetch(_FOLDED, projection))

    async def lag_seconds(self) -> dict[str, float]:
        """How far each projection is behind, while events come to every partition."""
        return {row["projection"]: row["seconds"] for row in await self.connection.fetch(_LAG)}

    async def ends(self, topic: str) -> dict[TopicPartition, int]:
        """The end of each partition of a topic."""
        count = self._settings.topic_partitions
        partitions = [TopicPartition(topic, number) for number in range(count)]
        ends: dict[TopicPartition, int] = await self._consumer.end_offsets(partitions)
        return ends

    async def messages(self, topic: str) -> int:
        """How many messages a topic has."""
        return sum((await self.ends(topic)).values())

    async def until_caught_up(self) -> float:
        """Wait until the read models show all of the log; seconds that took."""
        began = time.monotonic()
        while not await self._is_caught_up():
            if time.monotonic() - began > _CATCH_UP_SECONDS:
                raise MeasurementError(
                    f"the read models did not catch up within {_CATCH_UP_SECONDS} s; see the logs"
                )
            await asyncio.sleep(_POLL_SECONDS)
        return time.monotonic() - began

    async def _is_caught_up(self) -> bool:
        if await self.published() < await self.head():
            return False
        published = await self.messages(self._settings.events_topic)
        folded = [await self.folded(projection) for projection in PROJECTIONS]
        return min(folded) >= published


@asynccontextmanager
async def watching(stack: Stack) -> AsyncIterator[Progress]:
    """Connect to the stack's database and Kafka."""
    connection = await connect(stack.dsn, "ledger bench")
    try:
        consumer = AIOKafkaConsumer(**client_options(stack.settings, "ledger-bench"))
        await consumer.start()
        try:
            yield Progress(connection, consumer, stack.settings)
        finally:
            await stop_consumer(consumer)
    finally:
        await connection.close()
