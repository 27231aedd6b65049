"""The events topic as a member of the projection's consumer group reads it.

Kafka decides who has which partition; where to read on is decided by our checkpoints
alone, so nothing is ever committed to Kafka and no offset is ever reset by itself.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError

from projections.checkpoint import Checkpoint
from projections.envelope import decode_message
from services.projector.silence import Silence
from services.runtime.consumers import FirstJoin, check_consumer, stop_consumer
from services.runtime.environment import SystemEnvironment
from services.runtime.kafka import client_options
from services.runtime.settings import Settings

_FETCH_WAIT_MS = 25
"""A partition that had unread messages when a fetch went out waits for that fetch to end, so
this bounds how late an event can be seen on a busy topic."""
_PARTITION_FETCH_BYTES = 4 * 1024 * 1024
"""So that who is behind gets full batches: what a wallet's events cost is shared by them."""
_SESSION_TIMEOUT_MS = 6000
"""After a kill its partitions stay with the dead process for so long; brokers allow no less."""
_HEARTBEAT_MS = 1500
_PEEK_TIMEOUT_MS = 5000
_ENDS_TIMEOUT_S = 5.0

Records = dict[int, list[Any]]
"""aiokafka's ConsumerRecords by partition."""


class OffsetsLostError(Exception):
    """The topic no longer has what a checkpoint points to."""


def consumer_options(settings: Settings, client_id: str) -> dict[str, Any]:
    """What every consumer of the events topic here has in common."""
    return {
        **client_options(settings, client_id),
        "enable_auto_commit": False,
        "auto_offset_reset": "none",
        "fetch_max_wait_ms": _FETCH_WAIT_MS,
        "max_partition_fetch_bytes": _PARTITION_FETCH_BYTES,
    }


class EventsTopic:
    """The partitions that this process has at the moment, and what is in them."""

    def __init__(self, settings: Settings, projection: str, environment: SystemEnvironment) -> None:
        self._topic = settings.events_topic
        self._environment = environment
        self._silence = Silence()
        self._consumer = AIOKafkaConsumer(
            group_id=f"ledger.projector.{projection}",
            session_timeout_ms=_SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=_HEARTBEAT_MS,
            **consumer_options(settings, f"ledger-projector-{projection}"),
        )
        self._first_join = FirstJoin()
        self.reassigned = False
        """Set when partitions came or went: seek them all, then clear it."""
        self.joined = False
        """Set once the group has given this process its share, which may be nothing."""

    async def start(self) -> None:
        """Join the group."""
        self._first_join.begin()
        self._consumer.subscribe([self._topic], listener=_Rebalance(self))
        await self._consumer.start()

    async def stop(self) -> None:
        """Leave the group."""
        self._first_join.end()
        await stop_consumer(self._consumer)

    def note_assignment(self) -> None:
        """The group has given this process its share."""
        self._first_join.end()
        self.reassigned = True
        self.joined = True

    def assigned(self) -> list[int]:
        """The partitions that this process has."""
        return sorted(each.partition for each in self._consumer.assignment())

    def seek(self, checkpoints: Iterable[Checkpoint]) -> None:
        """Read on where these checkpoints stand; what was fetched ahead is forgotten."""
        for checkpoint in checkpoints:
            self._consumer.seek(self._partition(checkpoint.partition), checkpoint.next_offset)

    async def read(self, limit: int, timeout_ms: int) -> Records:
        """The next messages, `limit` in all at most; none if there are none for a while.

        Raises `OffsetsLostError`.
        """
        check_consumer(self._consumer)
        try:
            records = await self._consumer.getmany(timeout_ms=timeout_ms, max_records=limit)
        except NoOffsetForPartitionError:
            # A partition that has just been assigned and was not sought yet.
            self.reassigned = True
            return {}
        except OffsetOutOfRangeError as error:
            message = f"Kafka no longer has what is to be read next: {error}"
            raise OffsetsLostError(message) from error
        found = {partition.partition: messages for partition, messages in records.items()}
        self._silence.look(
            {
                partition.partition: self._consumer.last_poll_timestamp(partition)
                for partition in self._consumer.assignment()
            },
            found,
            self._environment.monotonic(),
        )
        return found

    def silent(self) -> list[int]:
        """The partitions that Kafka has told nothing of for some seconds."""
        return sorted(self._silence.partitions)

    def is_at_end(self, checkpoint: Checkpoint) -> bool:
        """Whether the partition is known to have nothing behind the checkpoint."""
        if checkpoint.partition in self._silence.partitions:
            return False
        end = self._consumer.highwater(self._partition(checkpoint.partition))
        return end is not None and checkpoint.next_offset >= end

    async def ends(self) -> Mapping[int, int]:
        """The offset behind the last message of each partition that this process has, by now.

        Raises `TimeoutError` and `KafkaError`.
        """
        async with asyncio.timeout(_ENDS_TIMEOUT_S):
            ends = await self._consumer.end_offsets(list(self._consumer.assignment()))
        return {partition.partition: offset for partition, offset in ends.items()}

    def _partition(self, partition: int) -> TopicPartition:
        return TopicPartition(self._topic, partition)


class _Rebalance(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Notes that partitions came or went; nothing needs to be finished before they go.

    A batch that is under way for a lost partition either commits before the new owner's
    first one, which then finds the checkpoint moved, or finds it moved itself.
    """

    def __init__(self, topic: EventsTopic) -> None:
        self._topic = topic

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        self._topic.reassigned = True

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._topic.note_assignment()


async def earliest_offsets(
    settings: Settings, partitions: Sequence[int]
) -> tuple[Mapping[int, int], int | None]:
    """The first offset that each partition still has, and the position all of them reach back to.

    Everything behind that position is in the topic. None: a partition has been emptied by
    retention, so only what is published from now on is certain to be in it.
    """
    topic = settings.events_topic
    consumer = AIOKafkaConsumer(**consumer_options(settings, "ledger-projector-begin"))
    try:
        await consumer.start()
        tps = [TopicPartition(topic, partition) for partition in partitions]
        first = await consumer.beginning_offsets(tps)
        end = await consumer.end_offsets(tps)
        reach_back: int | None = 0
        for tp in tps:
            if first[tp] == 0:
                continue
            if first[tp] == end[tp]:
                reach_back = None
                continue
            message = await _first_message(consumer, tp, first[tp])
            position = decode_message(message.key, message.value, message.headers).position
            if reach_back is not None:
                reach_back = max(reach_back, position - 1)
        return {tp.partition: offset for tp, offset in first.items()}, reach_back
    finally:
        await stop_consumer(consumer)


async def end_offsets(settings: Settings, partitions: Sequence[int]) -> Mapping[int, int]:
    """The offset behind the last message of each partition."""
    consumer = AIOKafkaConsumer(**consumer_options(settings, "ledger-projector-begin"))
    try:
        await consumer.start()
        tps = [TopicPartition(settings.events_topic, partition) for partition in partitions]
        ends = await consumer.end_offsets(tps)
        return {tp.partition: offset for tp, offset in ends.items()}
    finally:
        await stop_consumer(consumer)


async def _first_message(
    consumer: AIOKafkaConsumer, partition: TopicPartition, offset: int
) -> ConsumerRecord:
    consumer.assign([partition])
    consumer.seek(partition, offset)
    try:
        records = await consumer.getmany(partition, timeout_ms=_PEEK_TIMEOUT_MS, max_records=1)
    except OffsetOutOfRangeError as error:
        message = f"retention removed offset {offset} of partition {partition.partition}"
        raise OffsetsLostError(message) from error
    if not records:
        message = f"partition {partition.partition} gave nothing at its first offset {offset}"
        raise OffsetsLostError(message)
    return records[partition][0]
