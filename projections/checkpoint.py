"""Checkpoints: how far a projection got in each partition, moved by compare-and-set.

A process that lost its partition finds the checkpoint elsewhere, writes nothing, and has
to read it again. The log in PostgreSQL is a partition of its own, `LOG_PARTITION`, which a
new projection reads before any topic.
"""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct

from projections.interface import Connection, LogDivergedError, ProjectionStoppedError
from projections.statements import load_statement

LOG_PARTITION = -1
LOG_OPEN = "log"
"""Stands for the topic id while the log itself is being read."""
LOG_CLOSED = "log:closed"
"""Stands for it once the topic has taken over."""

_READ = load_statement(__file__, "read_checkpoints")
_ADVANCE = load_statement(__file__, "advance_checkpoints")
_BEGIN = load_statement(__file__, "begin_checkpoints")
_DISCARD = load_statement(__file__, "discard_checkpoints")
_DIVERGED = load_statement(__file__, "diverged_checkpoints")
_UNKNOWN = load_statement(__file__, "unknown_events")


class CheckpointLostError(Exception):
    """A checkpoint is not where this process left it: another process has the partition."""


class TopicChangedError(ProjectionStoppedError):
    """The topic is not the one that the checkpoint was made for."""

    code = "topic_changed"


class Checkpoint(Struct, frozen=True, kw_only=True):
    """Where to read on in one partition."""

    partition: int
    topic_id: str
    next_offset: int
    """The first offset that was not folded; of the log, the next position."""
    position: int
    """Everything of this partition up to here is folded: the newest event that was, or one of
    another partition, behind which there was nothing here."""
    hash: bytes | None
    """The hash of the event there, if there is one."""
    rebuilds: int = 0
    """How often rebuilt tables took the live ones' place: what was read before that is void."""


class Move(NamedTuple):
    """A checkpoint as this process knows it, and where it goes."""

    before: Checkpoint
    after: Checkpoint


async def read_checkpoints(connection: Connection, projection: str) -> dict[int, Checkpoint]:
    """Every checkpoint of the projection, by partition."""
    rows = await connection.fetch(_READ, projection)
    return {row["partition"]: Checkpoint(**row) for row in rows}


async def advance_checkpoints(
    connection: Connection, projection: str, moves: Sequence[Move]
) -> None:
    """Move all of them, in the transaction under way. Raises `CheckpointLostError`."""
    # In one order in every process, so that two that overlap cannot lock each other out.
    ordered = sorted(moves, key=lambda move: move.before.partition)
    moved = await connection.fetch(
        _ADVANCE,
        projection,
        [move.before.partition for move in ordered],
        [move.before.topic_id for move in ordered],
        [move.before.next_offset for move in ordered],
        [move.before.rebuilds for move in ordered],
        [move.after.topic_id for move in ordered],
        [move.after.next_offset for move in ordered],
        [move.after.position for move in ordered],
        [move.after.hash for move in ordered],
    )
    if len(moved) != len(moves):
        lost = {move.before.partition for move in moves} - {row["partition"] for row in moved}
        raise CheckpointLostError(f"{projection} lost the partitions {sorted(lost)}")


async def begin_checkpoints(
    connection: Connection, projection: str, checkpoints: Sequence[Checkpoint]
) -> None:
    """Make checkpoints that are not there yet. Raises `CheckpointLostError` if one is."""
    begun = await connection.fetch(
        _BEGIN,
        projection,
        [checkpoint.partition for checkpoint in checkpoints],
        [checkpoint.topic_id for checkpoint in checkpoints],
        [checkpoint.next_offset for checkpoint in checkpoints],
        [checkpoint.position for checkpoint in checkpoints],
        [checkpoint.hash for checkpoint in checkpoints],
    )
    if len(begun) != len(checkpoints):
        raise CheckpointLostError(f"another process began {projection} first")


async def reopen_log(connection: Connection, projection: str) -> None:
    """Read the log again, from behind the partition that is furthest behind.

    For a topic that no longer has what the checkpoints point to. What was folded already
    is dropped by its version. How much that is does not depend on quiet partitions: their
    positions are moved, too.
    """
    async with connection.transaction():
        discarded = await connection.fetch(_DISCARD, projection)
        log = (await read_checkpoints(connection, projection))[LOG_PARTITION]
        position = min((row["position"] for row in discarded), default=log.position)
        after = Checkpoint(
            partition=LOG_PARTITION,
            topic_id=LOG_OPEN,
            next_offset=position + 1,
            position=position,
            hash=None,
        )
        await advance_checkpoints(connection, projection, [Move(log, after)])


async def check_log(connection: Connection, projection: str) -> None:
    """Compare the log with what was projected from it. Raises `LogDivergedError`."""
    diverged = await connection.fetch(_DIVERGED, projection)
    if diverged:
        positions = ", ".join(str(row["position"]) for row in diverged)
        message = (
            f"{projection} has folded events that the log does not have at {positions}: the log "
            "was restored to an earlier point or replaced; make a new topic generation, rebuild"
        )
        raise LogDivergedError(message)


async def check_published(
    connection: Connection, projection: str, positions: Sequence[int], hashes: Sequence[bytes]
) -> None:
    """Compare the log with events that the topic has. Raises `LogDivergedError`."""
    unknown = await connection.fetch(_UNKNOWN, positions, hashes)
    if unknown:
        shown = ", ".join(str(row["position"]) for row in unknown)
        message = (
            f"the topic of {projection} has events that the log does not have at {shown}: if the "
            "log was restored to an earlier point or replaced, make a new topic generation; if "
            "another ledger publishes to the topic, give each topics of its own"
        )
        raise LogDivergedError(message)
