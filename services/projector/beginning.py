"""How a projection begins: it folds the log from PostgreSQL, then goes over to the topic.

The log is read no further than the relay has published. The topic is then read from its
first message, and what was folded already is dropped by its version. Where retention has
removed messages that were not folded yet, the log is read on until that is no longer so.
Where it has emptied a partition, and for a later generation of the topic, which was filled from
the log, offsets are looked up once: behind them is all that the log did not have by then, so the
topic is read from there once the log has been read up to where it was.
"""

from collections.abc import Mapping

import structlog

from projections.checkpoint import (
    LOG_CLOSED,
    LOG_OPEN,
    LOG_PARTITION,
    Checkpoint,
    CheckpointLostError,
    Move,
    TopicChangedError,
    advance_checkpoints,
    begin_checkpoints,
    read_checkpoints,
)
from projections.interface import AnyProjection, Connection
from projections.log import FIRST_GENERATION, Published, read_head, read_log, read_published
from projections.runner import Runner
from services.projector.events_topic import OffsetsLostError, earliest_offsets, end_offsets
from services.projector.metrics import APPLIED, CHECKPOINT_POSITION, Readiness
from services.runtime.environment import SystemEnvironment
from services.runtime.settings import Settings
from services.runtime.topic_identity import TopicIdentity

_PAGE_EVENTS = 5000
_TRY_AGAIN_S = 0.2

_log = structlog.get_logger()


def check_topic(name: str, checkpoints: Mapping[int, Checkpoint], topic: TopicIdentity) -> None:
    """Compare the topic with the one of the checkpoints. Raises `TopicChangedError`."""
    known = {each for each in checkpoints if each != LOG_PARTITION}
    ids = {checkpoints[each].topic_id for each in known}
    if ids != {topic.topic_id} or known != set(range(topic.partition_count)):
        message = (
            f"{name} was made of the topic {ids} with {len(known)} partitions; Kafka has {topic}"
        )
        raise TopicChangedError(message)


class GenerationReplacedError(Exception):
    """Another generation of the topic has taken over: begin again with that one."""


async def check_generation(connection: Connection, generation: int) -> Published | None:
    """What the relay has published, to this generation of the topic.

    Raises `GenerationReplacedError` if another one is current now.
    """
    published = await read_published(connection)
    if published is not None and published.generation != generation:
        raise GenerationReplacedError(f"the topic is {published.topic} now")
    return published


class Beginning:
    """Takes one projection from nothing to a checkpoint in every partition of the topic."""

    def __init__(
        self,
        settings: Settings,
        projection: AnyProjection,
        connection: Connection,
        environment: SystemEnvironment,
        readiness: Readiness,
        *,
        generation: int,
    ) -> None:
        self._settings = settings
        self._name = projection.name
        self._connection = connection
        self._runner = Runner(projection, connection)
        self._environment = environment
        self._readiness = readiness
        self._generation = generation

    async def ensure(self, topic: TopicIdentity) -> None:
        """Return when every partition has a checkpoint, whoever made it.

        Several processes may be at it at once: each step is a compare-and-set, and who
        loses one looks again. Raises `GenerationReplacedError`.
        """
        while True:
            checkpoints = await read_checkpoints(self._connection, self._name)
            await check_generation(self._connection, self._generation)
            if any(partition >= 0 for partition in checkpoints):
                check_topic(self._name, checkpoints, topic)
                return
            try:
                log = checkpoints.get(LOG_PARTITION) or await self._open()
                log = await self._fold_published(log)
                if await self._go_over(log, topic):
                    _log.info("began", position=log.position, partitions=topic.partition_count)
                    return
            except (CheckpointLostError, OffsetsLostError) as error:
                _log.info("beginning_again", reason=str(error))
            await self._environment.sleep(_TRY_AGAIN_S)

    async def _open(self) -> Checkpoint:
        log = Checkpoint(
            partition=LOG_PARTITION, topic_id=LOG_OPEN, next_offset=1, position=0, hash=None
        )
        await begin_checkpoints(self._connection, self._name, [log])
        return log

    async def _fold_published(self, log: Checkpoint) -> Checkpoint:
        """Fold the log up to where the relay is, page by page."""
        while log.position < (target := await self._published_position()):
            self._readiness.doing = f"folding the log: {log.position} of {target}"
            page_end = min(log.position + _PAGE_EVENTS, target)
            page = await read_log(self._connection, log.position, page_end)
            after = Checkpoint(
                partition=LOG_PARTITION,
                topic_id=LOG_OPEN,
                next_offset=page_end + 1,
                position=page_end,
                hash=page.last_hash,
                rebuilds=log.rebuilds,
            )
            applied = await self._runner.apply(page.events, [Move(log, after)])
            APPLIED.labels(self._name).inc(applied.applied)
            CHECKPOINT_POSITION.labels(self._name).set(page_end)
            log = after
        return log

    async def _go_over(self, log: Checkpoint, topic: TopicIdentity) -> bool:
        """Hand over from the log to the topic; False if the topic does not reach back so far."""
        self._readiness.doing = "going over from the log to the topic"
        if self._generation > FIRST_GENERATION:
            offsets = await end_offsets(self._settings, range(topic.partition_count))
            reach_back = None
        else:
            offsets, reach_back = await earliest_offsets(
                self._settings, range(topic.partition_count)
            )
        if reach_back is None:
            log = await self._fold_to_head(log)
        elif reach_back > log.position:
            self._readiness.doing = f"folding the log: {log.position} of {reach_back}"
            return False
        await self._begin_topic(log, topic, offsets)
        return True

    async def _fold_to_head(self, log: Checkpoint) -> Checkpoint:
        """Fold everything that the log has now, as the relay publishes it."""
        head = await read_head(self._connection)
        while True:
            log = await self._fold_published(log)
            if log.position >= head:
                return log
            self._readiness.doing = f"waiting for the relay: {log.position} of {head}"
            await self._environment.sleep(_TRY_AGAIN_S)

    async def _begin_topic(
        self, log: Checkpoint, topic: TopicIdentity, offsets: Mapping[int, int]
    ) -> None:
        """Close the log, and begin every partition where it is to be read on."""
        closed = Checkpoint(
            partition=LOG_PARTITION,
            topic_id=LOG_CLOSED,
            next_offset=log.next_offset,
            position=log.position,
            hash=log.hash,
        )
        begun = [
            Checkpoint(
                partition=partition,
                topic_id=topic.topic_id,
                next_offset=offset,
                position=log.position,
                hash=log.hash,
            )
            for partition, offset in offsets.items()
        ]
        async with self._connection.transaction():
            await advance_checkpoints(self._connection, self._name, [Move(log, closed)])
            # The log's checkpoint is locked now, as it is by who makes another one current.
            await check_generation(self._connection, self._generation)
            await begin_checkpoints(self._connection, self._name, begun)

    async def _published_position(self) -> int:
        published = await read_published(self._connection)
        return 0 if published is None else published.published_position
