"""Kafka consumers that fail in ways of which aiokafka does not tell."""

import asyncio
import logging
from typing import Final

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import GroupCoordinatorNotAvailableError

from services.runtime.kafka import close_client

_STOP_SECONDS: Final = 5.0
_COORDINATOR_LOG: Final = logging.getLogger("aiokafka.consumer.group_coordinator")


class DeadConsumerError(Exception):
    """A consumer that looks alive and will never read again; a new one is needed."""


class FirstJoin(logging.Filter):
    """Until a consumer joins its group for the first time, a missing coordinator is a warning.

    Kafka makes its own topic of groups when the first member asks for one. Until then it answers
    that there is no coordinator, which aiokafka logs as an error and asks again.
    """

    def begin(self) -> None:
        """The group is about to be joined."""
        _COORDINATOR_LOG.addFilter(self)

    def end(self) -> None:
        """The group was joined, or will not be: from now on an error is one."""
        _COORDINATOR_LOG.removeFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Lower the level of such a record; every record is logged."""
        arguments = record.args if isinstance(record.args, tuple) else ()
        if any(isinstance(each, GroupCoordinatorNotAvailableError) for each in arguments):
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


def check_consumer(consumer: AIOKafkaConsumer) -> None:
    """Raise `DeadConsumerError` if the consumer has lost the task that finds its brokers.

    A connection that is reset while it is written to can end that task (uvloop raises what
    aiokafka does not expect), and nothing else would ever say so.
    """
    task = consumer._client._sync_task  # noqa: SLF001 - there is no other way to see it
    if task is not None and task.done():
        raise DeadConsumerError("the consumer's metadata task has ended")


async def stop_consumer(consumer: AIOKafkaConsumer) -> None:
    """Leave the group; one that cannot say goodbye in time is left to the group's timeout."""
    # A task of its own: while Kafka is away, aiokafka lets the cancellation of its own fetches
    # out, which here would look as if this process were to end.
    stopping = asyncio.ensure_future(consumer.stop())
    try:
        await asyncio.wait({stopping}, timeout=_STOP_SECONDS)
    finally:
        stopping.cancel()
    if stopping.done() and not stopping.cancelled():
        stopping.result()
        return
    # It has come to an end before it closed its connections.
    await close_client(consumer._client.close())  # noqa: SLF001 - a second `stop` would do nothing
