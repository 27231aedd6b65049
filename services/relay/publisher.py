"""One Kafka producer: idempotent, waiting for all replicas, thrown away on its first failure.

A partition has one batch on its way at a time. So whatever becomes of a producer, its
last words on a partition are the next events of that partition: said twice, perhaps, but
never before those that precede them.
"""

import asyncio
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, ClassVar, NamedTuple, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from services.relay.cloudevents import LogRow, MessageEncoder
from services.runtime.kafka import client_options, why_unreachable
from services.runtime.settings import Settings

_BATCH_BYTES = 512 * 1024
_START_TIMEOUT_S = 15.0
_SEND_TIMEOUT_S = 30.0
_CLOSE_TIMEOUT_S = 0.5
_REQUEST_TIMEOUT_MS = 10_000
_RETRY_BACKOFF_MS = 250
_UNREACHABLE = (KafkaError, OSError, TimeoutError)


class PublishError(Exception):
    """Kafka did not take a page, or not all of it. The publisher is of no use any more."""


class Page(NamedTuple):
    """A stretch of the log, ready to be sent: per partition, batches in order."""

    batches: dict[int, list[Any]]
    last_position: int
    last_hash: bytes
    event_count: int
    byte_count: int


class Publisher:
    """Sends pages to one topic. Made by `start`, given up with `close`."""

    _closing: ClassVar[set[asyncio.Task[None]]] = set()

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._topic: str | None = None

    @classmethod
    async def start(cls, settings: Settings) -> Self:
        """Connect to Kafka. Raises `PublishError`. Nothing can be sent before `choose_topic`."""
        producer = AIOKafkaProducer(
            **client_options(settings, "ledger-relay"),
            enable_idempotence=True,
            acks="all",
            max_batch_size=_BATCH_BYTES,
            request_timeout_ms=_REQUEST_TIMEOUT_MS,
            retry_backoff_ms=_RETRY_BACKOFF_MS,
        )
        publisher = cls(producer)
        try:
            async with asyncio.timeout(_START_TIMEOUT_S):
                await producer.start()
        except BaseException as error:
            await publisher.close()
            if isinstance(error, _UNREACHABLE):
                reason = await why_unreachable(settings) or repr(error)
                raise PublishError(f"cannot connect to Kafka: {reason}") from error
            raise
        return publisher

    def choose_topic(self, topic: str) -> None:
        """Send to this topic from now on: to one only."""
        assert self._topic in {None, topic}, "what is on its way is on its way to the other"
        self._topic = topic

    def page(self, rows: Sequence[LogRow], encoder: MessageEncoder) -> Page:
        """Turn rows, at least one, into batches. Sends nothing."""
        batches: dict[int, list[Any]] = {}
        newest: dict[int, Any] = {}
        encode = encoder.encode
        for row in rows:
            partition, key, value, headers = encode(row)
            batch = newest.get(partition)
            if batch is None or not batch.append(
                timestamp=None, key=key, value=value, headers=headers
            ):
                batch = newest[partition] = self._producer.create_batch()
                batches.setdefault(partition, []).append(batch)
                batch.append(timestamp=None, key=key, value=value, headers=headers)
        last = rows[-1]
        size = sum(batch.size() for parts in batches.values() for batch in parts)
        return Page(batches, last[0], last[-1], len(rows), size)

    async def publish(self, page: Page) -> None:
        """Send a page; return when every partition has acknowledged. Raises `PublishError`.

        Not to be called again before it has returned.
        """
        try:
            async with asyncio.timeout(_SEND_TIMEOUT_S):
                for batches in zip_longest(*page.batches.values()):
                    await self._send_one_each(zip(page.batches, batches, strict=True))
        except _UNREACHABLE as error:
            raise PublishError(f"Kafka did not take a page: {error!r}") from error

    async def _send_one_each(self, batches: Any) -> None:
        assert self._topic is not None, "the topic is chosen before anything is sent"
        sent = [
            await self._producer.send_batch(batch, self._topic, partition=partition)
            for partition, batch in batches
            if batch is not None
        ]
        await asyncio.gather(*sent)

    async def close(self) -> None:
        """Give the producer up, with whatever it holds: nothing of that is sent any more.

        A request that Kafka has not answered yet may keep it for some seconds after this.
        """
        closing = asyncio.create_task(self._drop())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        # By then nobody may be left to hear of a failure.
        closing.add_done_callback(lambda closed: closed.cancelled() or closed.exception())
        await asyncio.wait({closing}, timeout=_CLOSE_TIMEOUT_S)

    async def _drop(self) -> None:
        # The producer's own `stop` first waits until Kafka has taken all that it holds, for
        # ever if need be; so its parts are stopped one by one, the sending one first.
        producer: Any = self._producer
        producer._closed = True  # noqa: SLF001
        try:
            await producer._sender.close()  # noqa: SLF001
        finally:
            await producer.client.close()
