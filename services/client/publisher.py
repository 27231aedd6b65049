"""The client's publisher: any number of commands at once, each until Kafka has it.

A producer that failed once is not used again. It may have numbered a batch that never arrived,
and then the broker takes nothing that it sends later. The next command starts another.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, ProducerClosed

from services.runtime.kafka import close_client

# Longer than a batch waits for its partition's leader and a request for its answer: whatever else
# the producer was given comes to its own end first.
_RETIRING_LIMIT_S: Final = 90.0
_STOP_LIMIT_S: Final = 15.0
_CLOSE_LIMIT_S: Final = 5.0

_log = structlog.get_logger()


class CommandPublisher:
    """Commands to Kafka. Raises what aiokafka raises: `KafkaError`, `OSError`."""

    def __init__(self, make_producer: Callable[[], AIOKafkaProducer]) -> None:
        """`make_producer` makes a producer that is not yet started."""
        self._make_producer = make_producer
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._retiring: set[asyncio.Task[None]] = set()
        self._is_stopped = False

    async def start(self) -> None:
        """Connect to Kafka."""
        await self._started()

    async def publish(
        self, topic: str, value: bytes, key: bytes, headers: Sequence[tuple[str, bytes]]
    ) -> None:
        """Send a message; comes back when Kafka has it."""
        while True:
            producer = await self._started()
            try:
                sent = await producer.send(topic, value, key=key, headers=headers)
            except MessageSizeTooLargeError:
                raise  # The producer did not take it at all.
            except ProducerClosed:
                if producer is self._producer:
                    raise
                continue  # Another's message failed meanwhile: this one was not sent.
            except (KafkaError, OSError) as error:
                self._discard(producer, error)
                raise
            break
        # Who stops waiting does not see that it failed, and the next one must not suffer from it.
        sent.add_done_callback(lambda done: self._ended(producer, done))
        await asyncio.shield(sent)

    async def stop(self) -> None:
        """Close every connection to Kafka, when what is under way has come to its end."""
        self._is_stopped = True
        producer, self._producer = self._producer, None
        if producer is not None:
            self._retire(producer)
        if self._retiring:
            _, late = await asyncio.wait(self._retiring, timeout=_STOP_LIMIT_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is not None:
            return self._producer
        async with self._starting:
            if self._is_stopped:
                raise ProducerClosed
            if self._producer is None:
                producer = self._make_producer()
                try:
                    await producer.start()
                except BaseException:
                    await close_client(producer.stop())
                    raise
                if self._is_stopped:
                    # Whoever stopped this did not see it yet.
                    await close_client(producer.stop())
                    raise ProducerClosed
                self._producer = producer
            return self._producer

    def _ended(self, producer: AIOKafkaProducer, sent: "asyncio.Future[object]") -> None:
        error = None if sent.cancelled() else sent.exception()
        if error is not None:
            self._discard(producer, error)

    def _discard(self, producer: AIOKafkaProducer, error: BaseException) -> None:
        if producer is not self._producer:
            return
        _log.warning("producer_discarded", error=repr(error))
        self._producer = None
        self._retire(producer)

    def _retire(self, producer: AIOKafkaProducer) -> None:
        task = asyncio.create_task(_close(producer), name="retiring-producer")
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)


async def _close(producer: AIOKafkaProducer) -> None:
    """Let a producer finish what it was given, and close it, however it fares."""
    stopping = asyncio.ensure_future(producer.stop())
    try:
        await asyncio.wait({stopping}, timeout=_RETIRING_LIMIT_S)
    finally:
        if stopping.done() and not stopping.cancelled():
            error = stopping.exception()
            if error is not None:
                _log.warning("producer_did_not_stop_cleanly", error=repr(error))
        else:
            stopping.cancel()
            await _abandon(producer)


async def _abandon(producer: AIOKafkaProducer) -> None:
    """End what a producer cannot finish: a second `stop` would do nothing."""
    # Each with a limit of its own: what hinders one must not leave the other open.
    for close in (producer._sender.close, producer.client.close):  # noqa: SLF001 - no other way
        with suppress(TimeoutError, KafkaError, OSError):
            # Not `asyncio.timeout`: that of Python 3.11.2, which Debian 12 has, lets a cancellation
            # out when its time is up in a task that was cancelled before, as this one was.
            await asyncio.wait_for(close(), _CLOSE_LIMIT_S)
    producer._message_accumulator.fail_all(ProducerClosed())  # noqa: SLF001 - whoever waits hears
