"""The publisher: sends replies and returns only when Kafka has acknowledged every one.

An idempotent producer with direct batches, the partition chosen as Java's producers
choose it. A producer that failed is thrown away and all that it was given is sent again:
a reply may come twice, it is never lost.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from services.intake.metrics import RETRIES
from services.intake.results import Reply
from services.runtime.environment import SystemEnvironment
from services.runtime.kafka import close_client, partition_for

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
_PATIENCE_S = 3.0
# Longer than a request may take, so that a producer given up leaves nothing behind.
_DISCARD_LIMIT_S = 15.0
_STOP_LIMIT_S = 3.0

log = structlog.get_logger()


class ReplyPublisher:
    """Replies to Kafka. One caller at a time."""

    def __init__(
        self, make_producer: Callable[[], AIOKafkaProducer], environment: SystemEnvironment
    ) -> None:
        """`make_producer` makes a producer that is idempotent and not yet started."""
        self._make_producer = make_producer
        self._environment = environment
        self._producer: AIOKafkaProducer | None = None
        self._sending_since: float | None = None
        self._failure: str | None = None

    @property
    def trouble(self) -> str | None:
        """Why nothing is acknowledged just now; none while all is well."""
        if self._failure is not None:
            return f"Kafka does not take replies: {self._failure}"
        since = self._sending_since
        if since is not None and self._environment.monotonic() - since > _PATIENCE_S:
            return "Kafka is slow to acknowledge replies"
        return None

    async def publish(self, replies: Mapping[str, Sequence[Reply]]) -> None:
        """Send the replies of each topic; comes back when Kafka has all of them."""
        pause_s = _FIRST_PAUSE_S
        while True:
            self._sending_since = self._environment.monotonic()
            try:
                await self._send(replies)
            except (KafkaError, OSError) as error:
                self._failure = type(error).__name__
                RETRIES.labels("replies").inc()
                log.warning("replies_not_acknowledged", error=repr(error), again_in_s=pause_s)
                await self._discard(_DISCARD_LIMIT_S)
                await self._environment.sleep(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            else:
                self._failure = self._sending_since = None
                return

    async def stop(self) -> None:
        """Close the connection to Kafka."""
        await self._discard(_STOP_LIMIT_S)

    async def _send(self, replies: Mapping[str, Sequence[Reply]]) -> None:
        producer = await self._started()
        acknowledgements: list[asyncio.Future[object]] = []
        try:
            for topic, messages in replies.items():
                count = len(await producer.partitions_for(topic))
                by_partition: dict[int, list[Reply]] = {}
                for message in messages:
                    by_partition.setdefault(partition_for(message.key, count), []).append(message)
                for partition, its_messages in by_partition.items():
                    for batch in _batches(producer, its_messages):
                        sent = await producer.send_batch(batch, topic, partition=partition)
                        acknowledgements.append(sent)
            await asyncio.gather(*acknowledgements)
        finally:
            # After a failure nobody asks the others how they fared.
            for acknowledgement in acknowledgements:
                acknowledgement.cancel()

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = self._make_producer()
            try:
                await producer.start()
            except BaseException:
                await close_client(producer.stop())
                raise
            self._producer = producer
        return self._producer

    async def _discard(self, limit_s: float) -> None:
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            await asyncio.wait_for(producer.stop(), limit_s)
        except (KafkaError, OSError, TimeoutError) as error:
            log.warning("producer_did_not_stop_cleanly", error=repr(error))


def _batches(producer: AIOKafkaProducer, messages: Sequence[Reply]) -> list[object]:
    """The messages in as few batches as hold them, in order."""
    batches = []
    batch = producer.create_batch()
    for key, value, headers in messages:
        if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
            batches.append(batch)
            batch = producer.create_batch()
            fitted = batch.append(timestamp=None, key=key, value=value, headers=headers)
            assert fitted is not None, "an empty batch takes any reply"
    batches.append(batch)
    for full in batches:
        full.close()
    return batches
