"""One Kafka producer: idempotent, waiting for all replicas, thrown away on its first failure.

What a producer may have sent before it failed is sent again by the next: the commands' ids
make that harmless.
"""

import asyncio
from collections.abc import Sequence
from typing import Self

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from services.runtime.kafka import client_options, why_unreachable
from services.runtime.settings import Settings
from services.runtime.topics import TopicUnavailableError, ensure_topics, ledger_topics
from services.scheduler.commands import DueCommand

_START_LIMIT_S = 15.0
_SEND_LIMIT_S = 30.0
_CHECK_LIMIT_S = 10.0
_STOP_LIMIT_S = 3.0
_REQUEST_TIMEOUT_MS = 10_000
_UNREACHABLE = (KafkaError, OSError, TimeoutError, TopicUnavailableError)

_log = structlog.get_logger()


class PublishError(Exception):
    """Kafka did not take everything. The publisher is of no use any more."""


class CommandPublisher:
    """Sends commands to one topic. Made by `start`, given up with `stop`."""

    def __init__(self, producer: AIOKafkaProducer, topic: str) -> None:
        self._producer = producer
        self._topic = topic

    @classmethod
    async def start(cls, settings: Settings) -> Self:
        """Connect to Kafka; topics that are missing are made. Raises `PublishError`."""
        try:
            await ensure_topics(settings, ledger_topics(settings))
        except _UNREACHABLE as error:
            raise PublishError(f"there is no topic to publish to: {error}") from error
        producer = AIOKafkaProducer(
            **client_options(settings, "ledger-scheduler"),
            enable_idempotence=True,
            acks="all",
            request_timeout_ms=_REQUEST_TIMEOUT_MS,
        )
        publisher = cls(producer, settings.commands_topic)
        try:
            async with asyncio.timeout(_START_LIMIT_S):
                await producer.start()
        except BaseException as error:
            await publisher.stop()
            if isinstance(error, _UNREACHABLE):
                reason = await why_unreachable(settings) or repr(error)
                raise PublishError(f"cannot connect to Kafka: {reason}") from error
            raise
        return publisher

    async def publish(self, commands: Sequence[DueCommand]) -> None:
        """Send commands; return when Kafka has acknowledged all. Raises `PublishError`."""
        acknowledgements: list[asyncio.Future[object]] = []
        try:
            async with asyncio.timeout(_SEND_LIMIT_S):
                for command in commands:
                    sent = await self._producer.send(
                        self._topic, command.value, key=command.key, headers=command.headers
                    )
                    acknowledgements.append(sent)
                await asyncio.gather(*acknowledgements)
        except _UNREACHABLE as error:
            raise PublishError(f"Kafka did not take the commands: {error!r}") from error
        finally:
            # After a failure nobody asks the others how they fared.
            for acknowledgement in acknowledgements:
                acknowledgement.cancel()

    async def check(self) -> None:
        """Come back if Kafka answers, for when there is nothing to send. Raises `PublishError`."""
        try:
            async with asyncio.timeout(_CHECK_LIMIT_S):
                answers = await self._producer.client.force_metadata_update()
        except _UNREACHABLE as error:
            raise PublishError(f"Kafka does not answer: {error!r}") from error
        if not answers:
            raise PublishError("Kafka does not answer")

    async def stop(self) -> None:
        """Close the connection."""
        try:
            # Not `asyncio.timeout`: see `services.client.publisher`.
            await asyncio.wait_for(self._producer.stop(), _STOP_LIMIT_S)
        except _UNREACHABLE as error:
            _log.warning("producer_did_not_stop_cleanly", error=repr(error))
