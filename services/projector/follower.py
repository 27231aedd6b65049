"""The topic after the beginning, batch by batch, each from where the checkpoints stand."""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from aiokafka.errors import KafkaError
from msgspec.structs import replace

from projections.checkpoint import Checkpoint, CheckpointLostError, Move, read_checkpoints
from projections.envelope import decode_hash, decode_message
from projections.interface import AnyProjection, Connection, ProjectedEvent
from projections.log import Published
from projections.runner import Applied, Runner
from services.projector import metrics
from services.projector.beginning import check_generation, check_topic
from services.projector.books import BOOKS, observe_books
from services.projector.events_topic import EventsTopic, Records
from services.runtime.topic_identity import TopicIdentity

BATCH_LIMIT = 10_000
_POLL_TIMEOUT_MS = 500

_log = structlog.get_logger()


class Follower:
    """Applies what the topic brings; after a lost compare it looks where the others got to."""

    def __init__(
        self,
        projection: AnyProjection,
        connection: Connection,
        topic: EventsTopic,
        identity: TopicIdentity,
        generation: int,
    ) -> None:
        self._name = projection.name
        self._connection = connection
        self._topic = topic
        self._identity = identity
        self._generation = generation
        self._runner = Runner(projection, connection)
        self._checkpoints: dict[int, Checkpoint] = {}

    async def step(self) -> int:
        """Read what there is and apply it; how many messages that were.

        Raises `OffsetsLostError` and `ProjectionStoppedError`.
        """
        records = await self._topic.read(BATCH_LIMIT, _POLL_TIMEOUT_MS)
        if self._topic.reassigned:
            await self._resume()
            return 0
        if not records:
            return 0
        try:
            with metrics.BATCH_SECONDS.labels(self._name).time():
                return await self._apply(records)
        except CheckpointLostError as error:
            metrics.LOST_CHECKPOINTS.labels(self._name).inc()
            _log.info("checkpoint_lost", reason=str(error))
            await self._resume()
            return 0

    async def observe(self) -> None:
        """Tell Prometheus what the read model says of itself."""
        if self._name == BOOKS:
            await observe_books(self._connection)

    async def lag(self) -> int | None:
        """How many published positions are not folded yet; None while that is not known.

        Raises `GenerationReplacedError`.
        """
        published = await check_generation(self._connection, self._generation)
        if published is None or not self._topic.joined or self._topic.reassigned:
            return None
        behind = [
            checkpoint.position
            for checkpoint in self._checkpoints.values()
            if not self._topic.is_at_end(checkpoint)
        ]
        return max(published.published_position - min(behind), 1) if behind else 0

    def silence(self) -> str | None:
        """What Kafka does not tell, in words; None where it answers."""
        silent = self._topic.silent()
        return f"Kafka tells nothing of the partitions {silent}" if silent else None

    async def note_quiet_partitions(self) -> None:
        """Move the positions of partitions that stand at their end to what is published.

        A partition without traffic would stay at an old position for ever, and a projection
        that goes back to the log begins at the oldest. Raises `GenerationReplacedError`.
        """
        # In this order: what the relay has recorded as published was in the topic before its
        # ends are looked up, so who stands there has folded all of it that is in the partition.
        published = await check_generation(self._connection, self._generation)
        if published is None or self._topic.reassigned:
            return
        try:
            ends = await self._topic.ends()
        except (KafkaError, TimeoutError) as error:
            _log.info("ends_not_known", reason=repr(error))
            return
        moves = quiet_moves(self._checkpoints, ends, published)
        try:
            if moves:
                await self._runner.apply([], moves)
        except CheckpointLostError as error:
            metrics.LOST_CHECKPOINTS.labels(self._name).inc()
            _log.info("checkpoint_lost", reason=str(error))
            await self._resume()
            return
        for move in moves:
            self._checkpoints[move.after.partition] = move.after

    async def _resume(self) -> None:
        """Read on in the partitions that this process has, where their checkpoints stand."""
        self._topic.reassigned = False
        self._runner.forget()
        assigned = self._topic.assigned()
        checkpoints = await read_checkpoints(self._connection, self._name)
        if self._topic.reassigned:
            return
        if not set(assigned) <= set(checkpoints):
            # Another process has found that the topic lost messages, or a rebuild went on
            # alone: begin again, from the log.
            message = f"{self._name} has no checkpoints any more"
            raise NotBegunError(message)
        if assigned:
            await check_generation(self._connection, self._generation)
            check_topic(self._name, checkpoints, self._identity)
        self._checkpoints = {partition: checkpoints[partition] for partition in assigned}
        self._topic.seek(self._checkpoints.values())

    async def _apply(self, records: Records) -> int:
        events: list[ProjectedEvent] = []
        moves = []
        for partition, messages in records.items():
            before = self._checkpoints[partition]
            # A seek may come too late for messages that were on their way already.
            fresh = [message for message in messages if message.offset >= before.next_offset]
            if fresh:
                decoded = [decode_message(each.key, each.value, each.headers) for each in fresh]
                moves.append(Move(before, checkpoint_after(before, decoded, fresh)))
                events += decoded
        if not moves:
            return 0
        applied = await self._runner.apply(events, moves)
        for move in moves:
            self._checkpoints[move.after.partition] = move.after
        self._count(applied)
        return len(events)

    def _count(self, applied: Applied) -> None:
        metrics.APPLIED.labels(self._name).inc(applied.applied)
        metrics.DROPPED.labels(self._name).inc(applied.dropped)
        if applied.fetched:
            metrics.FETCHED.labels(self._name).inc(applied.fetched)
            _log.warning("gap_filled_from_the_log", events=applied.fetched)
        newest = max(checkpoint.position for checkpoint in self._checkpoints.values())
        metrics.CHECKPOINT_POSITION.labels(self._name).set(newest)


class NotBegunError(Exception):
    """The projection has no checkpoint where it had one."""


def quiet_moves(
    checkpoints: Mapping[int, Checkpoint], ends: Mapping[int, int], published: Published
) -> list[Move]:
    """Where partitions stand that have nothing behind their checkpoints.

    `published` must be from before `ends` was looked up. A topic that ends before a checkpoint
    has lost messages: nothing is known of what else it lost.
    """
    position, event_hash = published.published_position, published.published_hash
    return [
        Move(before, replace(before, position=position, hash=event_hash))
        for partition, before in checkpoints.items()
        if partition in ends
        and before.next_offset == ends[partition]
        and before.topic_id == published.topic_id
        and before.position < position
    ]


def checkpoint_after(
    before: Checkpoint, events: Sequence[ProjectedEvent], messages: Sequence[Any]
) -> Checkpoint:
    """Where a partition stands once these messages, which are these events, are folded.

    What the relay published twice may come behind what is newer; the newest position counts.
    """
    positions = [event.position for event in events]
    position = max(positions)
    newer = position > before.position
    newest = messages[positions.index(position)]
    return Checkpoint(
        partition=before.partition,
        topic_id=before.topic_id,
        next_offset=messages[-1].offset + 1,
        position=position if newer else before.position,
        hash=decode_hash(newest.headers) if newer else before.hash,
        rebuilds=before.rebuilds,
    )
