"""The commands topic as a stream of messages, of which none is lost and none blocks.

A message that the Kafka client itself cannot read (a header that is not UTF-8, a
compression that nobody here knows) comes out as an `UnreadableRecord` of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    UnsupportedCodecError,
)
from aiokafka.structs import OffsetAndMetadata

from services.intake.metrics import LAG
from services.intake.ownership import LedgerMark
from services.runtime.consumers import FirstJoin, check_consumer, stop_consumer

_POLL_TIMEOUT_MS = 500
_ANSWER_LIMIT_S = 5.0
_CAREFUL_LIMIT_S = 5.0
_CAREFUL_PAUSE_S = 0.01

log = structlog.get_logger()


class UnreadableRecord(NamedTuple):
    """A message whose bytes the Kafka client does not hand out."""

    offset: int
    detail: str


Records = dict[TopicPartition, list[ConsumerRecord | UnreadableRecord]]


class CommandConsumer:
    """Reads the commands topic as a member of the consumer group."""

    def __init__(self, consumer: AIOKafkaConsumer, topic: str, mark: LedgerMark) -> None:
        """`consumer` is not started, commits nothing and resets no offset by itself."""
        self._consumer = consumer
        self._topic = topic
        self._mark = mark
        self._next: dict[TopicPartition, int] = {}
        self._first_join = FirstJoin()
        self._marked = -1
        """The generation in which all offsets have the mark."""
        self.generation = 0
        """Counts the assignments; what was read under another is not ours to commit."""
        self.assigned = False
        """Whether the group has said what is ours; not so while it is being divided anew."""

    async def start(self, finish_batches: Callable[[], Awaitable[None]]) -> None:
        """Join the group.

        `finish_batches` is awaited when partitions are about to go to another member:
        what is under way is to be answered and committed before it returns.
        """
        self._first_join.begin()
        self._consumer.subscribe([self._topic], listener=_Rebalance(self, finish_batches))
        await self._consumer.start()

    async def stop(self) -> None:
        """Leave the group."""
        self._first_join.end()
        await stop_consumer(self._consumer)

    async def read(self, limit: int) -> Records:
        """The next messages, `limit` in all at most, or none after a while without any."""
        check_consumer(self._consumer)
        generation = self.generation
        try:
            records: Records = await self._consumer.getmany(
                timeout_ms=_POLL_TIMEOUT_MS, max_records=limit
            )
        except NoOffsetForPartitionError as error:
            (partition,) = error.args
            log.info("partition_read_from_its_beginning", partition=partition.partition)
            await self._consumer.seek_to_beginning(partition)
            # At once, so that another ledger is refused also before the first command.
            await self.commit({partition: await self._consumer.position(partition)}, generation)
            return {}
        except OffsetOutOfRangeError as error:
            await self._restart_lost(error.args[0])
            return {}
        except (UnicodeDecodeError, UnsupportedCodecError):
            return await self._read_carefully()
        for partition, its_records in records.items():
            self._next[partition] = its_records[-1].offset + 1
        if not records and self.assigned and self._marked != generation:
            await self._mark_offsets(generation)
        return records

    async def _mark_offsets(self, generation: int) -> None:
        """Mark those that were committed without: by an older release, or while the log was empty.

        They stay where they are. Where one has gone on in between, it goes back to what was read
        here: then some commands come again, of which none takes effect twice.
        """
        if not await self._mark.read_if_possible():
            return
        offsets: dict[TopicPartition, int] = {}
        for partition in self._consumer.assignment():
            offset = await self._consumer.committed(partition)
            if offset is not None:
                offsets[partition] = offset
        if offsets:
            await self.commit(offsets, generation)
        self._marked = generation

    async def answers(self) -> bool:
        """Whether Kafka answers now, within seconds."""
        try:
            async with asyncio.timeout(_ANSWER_LIMIT_S):
                # There is no public way to ask without reading.
                return bool(await self._consumer._client.force_metadata_update())  # noqa: SLF001
        except (KafkaError, OSError, TimeoutError):
            return False

    def begin_assignment(self) -> None:
        """The group has said what is ours."""
        self._first_join.end()
        self.assigned = True

    def end_assignment(self) -> None:
        """From now on nothing that was read so far is committed any more."""
        self.generation += 1
        self._next.clear()
        # Of partitions that went elsewhere another process tells.
        LAG.clear()

    async def commit(self, offsets: dict[TopicPartition, int], generation: int) -> None:
        """Record how far the group has come, unless the partitions went elsewhere meanwhile."""
        if generation != self.generation:
            log.info("offsets_left_to_the_next_owner", partitions=len(offsets))
            return
        mark = await self._mark.read_if_possible()
        marks = {each: OffsetAndMetadata(offset, mark) for each, offset in offsets.items()}
        try:
            await self._consumer.commit(marks)
        except (CommitFailedError, IllegalStateError) as error:
            # The next owner reads these commands again and gives the same results.
            log.info("offsets_left_to_the_next_owner", error=repr(error))
        except KafkaError as error:
            # The commit of the next batch says it too.
            log.warning("offsets_not_committed", error=repr(error))
        for partition, offset in offsets.items():
            end = self._consumer.highwater(partition)
            if end is not None:
                LAG.labels(partition.partition).set(max(end - offset, 0))

    async def _restart_lost(self, partitions: dict[TopicPartition, int]) -> None:
        for partition, offset in partitions.items():
            log.error(
                "commands_lost_before_they_were_read",
                partition=partition.partition,
                wanted_offset=offset,
                hint="The topic was made anew or its retention is too short. Every command that "
                "is still there is read again; none takes effect twice.",
            )
            await self._consumer.seek_to_beginning(partition)

    async def _read_carefully(self) -> Records:
        """Read one message at a time until the one that cannot be read has been named.

        The client has moved on over messages that it did not hand out when it met the
        bad one, so reading starts again behind the last that came out.
        """
        await self._rewind()
        records: Records = {}
        generation = self.generation
        clock = asyncio.get_running_loop().time
        deadline = clock() + _CAREFUL_LIMIT_S
        while clock() < deadline:
            for partition in sorted(self._consumer.assignment()):
                one = await self._read_one(partition)
                if self.generation != generation:
                    # Another assignment: what came out so far is read again by its owner.
                    generation = self.generation
                    records.clear()
                    await self._rewind()
                    break
                if one is None:
                    continue
                records.setdefault(partition, []).append(one)
                self._next[partition] = one.offset + 1
                if isinstance(one, UnreadableRecord):
                    self._consumer.seek(partition, one.offset + 1)
                    return records
            await asyncio.sleep(_CAREFUL_PAUSE_S)
        return records

    async def _read_one(
        self, partition: TopicPartition
    ) -> ConsumerRecord | UnreadableRecord | None:
        try:
            found = await self._consumer.getmany(partition, timeout_ms=0, max_records=1)
        except (UnicodeDecodeError, UnsupportedCodecError) as error:
            return UnreadableRecord(await self._consumer.position(partition), _said(error))
        except KafkaError:
            # It comes again at the next reading, where it is dealt with.
            return None
        return found[partition][0] if found else None

    async def _rewind(self) -> None:
        for partition in self._consumer.assignment():
            offset = self._next.get(partition)
            if offset is None:
                offset = await self._consumer.committed(partition)
            if offset is None:
                await self._consumer.seek_to_beginning(partition)
            else:
                self._consumer.seek(partition, offset)


class _Rebalance(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Keeps the consumer's word of what is assigned."""

    def __init__(
        self, consumer: CommandConsumer, finish_batches: Callable[[], Awaitable[None]]
    ) -> None:
        self._consumer = consumer
        self._finish_batches = finish_batches

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        self._consumer.assigned = False
        if revoked:
            await self._finish_batches()
            self._consumer.end_assignment()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._consumer.begin_assignment()
        log.info("partitions_assigned", partitions=sorted(each.partition for each in assigned))


def _said(error: Exception) -> str:
    """What was wrong, in words that hold nothing of the message."""
    if isinstance(error, UnsupportedCodecError):
        return "compressed in a way that is not supported here"
    return "a header's name is not UTF-8"
