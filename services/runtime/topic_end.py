"""The newest messages of the events topic: what a log must have that was not restored since.

A message is published after its event was appended. So where Kafka has one that the log has
not, the log is another one, or was taken back to an earlier point.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from services.runtime.consumers import stop_consumer
from services.runtime.kafka import client_options
from services.runtime.settings import Settings
from services.runtime.topics import TopicUnavailableError

_ANSWER_LIMIT_S = 10.0


class Published(NamedTuple):
    """An event as its message names it."""

    position: int
    hash: bytes


async def newest_published(
    settings: Settings, topic: str, partition_count: int
) -> Sequence[Published]:
    """The last event of each partition that has any.

    Raises `TopicUnavailableError` if Kafka cannot be asked.
    """
    consumer = AIOKafkaConsumer(
        **client_options(settings, "ledger-topics"),
        enable_auto_commit=False,
        auto_offset_reset="none",
    )
    try:
        async with asyncio.timeout(_ANSWER_LIMIT_S):
            await consumer.start()
            partitions = [TopicPartition(topic, number) for number in range(partition_count)]
            first = await consumer.beginning_offsets(partitions)
            ends = await consumer.end_offsets(partitions)
            last = {each: ends[each] - 1 for each in partitions if ends[each] > first[each]}
            return await _read(consumer, last)
    except (KafkaError, OSError, TimeoutError) as error:
        message = f"Kafka could not be asked for the end of topic {topic}: {error!r}"
        raise TopicUnavailableError(message) from error
    finally:
        await stop_consumer(consumer)


async def _read(
    consumer: AIOKafkaConsumer, offsets: dict[TopicPartition, int]
) -> Sequence[Published]:
    if not offsets:
        return []
    consumer.assign(list(offsets))
    for partition, offset in offsets.items():
        consumer.seek(partition, offset)
    found: dict[TopicPartition, Published | None] = {}
    while found.keys() != offsets.keys():
        for partition, messages in (await consumer.getmany(timeout_ms=500)).items():
            found.setdefault(partition, _published(messages[0]))
    return [published for published in found.values() if published is not None]


def _published(message: Any) -> Published | None:
    """What the message says that it is; none if it says nothing that can be read."""
    headers = dict(message.headers)
    try:
        return Published(int(headers["ce_position"]), bytes.fromhex(headers["ce_hash"].decode()))
    except (KeyError, ValueError):
        return None
