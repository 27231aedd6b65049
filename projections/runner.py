"""The runtime of every projection: a batch of events becomes one transaction.

This module ensures order and exactness for all. The checkpoint moves first, by compare-and-set;
then each wallet's events are matched with its row: seen events are dropped, a hole is
filled from the log once, and a hole that the log cannot fill stops the projection.

Rows are remembered from one batch to the next: while a compare-and-set succeeds, nobody else
has written the wallets of that partition.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import asyncpg
import msgspec
from msgspec import Struct

from projections.checkpoint import CheckpointLostError, Move, advance_checkpoints
from projections.interface import (
    AnyProjection,
    Connection,
    EventRange,
    ProjectedEvent,
    ProjectionGapError,
    UnreadableEventError,
    Versioned,
    WalletNews,
)
from projections.log import read_missing
from schemas.events import UnknownEventError
from schemas.identifiers import StreamKey, is_wallet_stream

REMEMBERED_WALLETS = 50_000

Streams = dict[StreamKey, list[ProjectedEvent]]


class Applied(Struct, frozen=True, kw_only=True):
    """The outcome of a batch."""

    ranges: Sequence[EventRange]
    """The events that took effect, by wallet."""
    dropped: int
    """Events that had been folded before."""
    fetched: int
    """Events that did not arrive and were read from the log."""

    @property
    def applied(self) -> int:
        """How many events took effect."""
        return sum(each.last_version - each.first_version + 1 for each in self.ranges)


class Sorted(NamedTuple):
    """A wallet's new events, and the holes between them."""

    news: Streams
    holes: list[EventRange]
    dropped: int


class Runner:
    """Applies batches to one projection, on one connection."""

    def __init__(
        self,
        projection: AnyProjection,
        connection: Connection,
        remembered_wallets: int = REMEMBERED_WALLETS,
    ) -> None:
        self._projection = projection
        self._connection = connection
        self._remembered_wallets = remembered_wallets
        self._rows: dict[StreamKey, Versioned] = {}

    def forget(self) -> None:
        """Forget every row: checkpoints were read again, so others may have written."""
        self._rows.clear()

    async def apply(self, events: Iterable[ProjectedEvent], moves: Sequence[Move]) -> Applied:
        """Fold events that were read between two states of the checkpoints; all or nothing.

        Raises `CheckpointLostError` (read the checkpoints again), or a
        `ProjectionStoppedError`; nothing was written then.
        """
        try:
            async with self._connection.transaction():
                await advance_checkpoints(self._connection, self._projection.name, moves)
                applied = await self._fold(events)
        except BaseException as error:
            self.forget()
            if isinstance(error, (asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError)):
                # Another process of this projection, or a rebuild that is taking over.
                raise CheckpointLostError(str(error)) from error
            if isinstance(error, (UnknownEventError, msgspec.MsgspecError)):
                raise UnreadableEventError(str(error)) from error
            raise
        for wallet in list(islice(self._rows, max(0, len(self._rows) - self._remembered_wallets))):
            del self._rows[wallet]
        return applied

    async def _fold(self, events: Iterable[ProjectedEvent]) -> Applied:
        streams = by_wallet(events)
        if not streams:
            return Applied(ranges=[], dropped=0, fetched=0)
        rows = self._rows
        unread = [wallet for wallet in streams if wallet not in rows]
        if unread:
            rows.update(await self._projection.load(self._connection, unread))
        news, holes, dropped = sort_out(streams, rows)
        fetched = 0
        if holes:
            missing = await read_missing(self._connection, holes)
            fill_holes(news, holes, missing)
            fetched = sum(len(found) for found in missing.values())
        if news:
            written = await self._projection.store(
                self._connection,
                [WalletNews(wallet, rows.get(wallet), stream) for wallet, stream in news.items()],
            )
            rows.update(written)
        return Applied(
            ranges=[
                EventRange(wallet, stream[0].version, stream[-1].version)
                for wallet, stream in news.items()
            ],
            dropped=dropped,
            fetched=fetched,
        )


def by_wallet(events: Iterable[ProjectedEvent]) -> Streams:
    """Group events by wallet, each wallet's in the order in which they came.

    Events of a tenant's own stream are left out: no read model uses them.
    """
    streams: Streams = {}
    for event in events:
        stream = streams.get(event.wallet)
        if stream is not None:
            stream.append(event)
        elif is_wallet_stream(event.wallet.stream_id):
            streams[event.wallet] = [event]
    return streams


def sort_out(streams: Streams, rows: Mapping[StreamKey, Versioned]) -> Sorted:
    """Drop what the rows hold already, and find the holes in what remains.

    The subscriber's rule: of a wallet, a version that is not above the highest seen is
    a repetition.
    """
    news: Streams = {}
    holes: list[EventRange] = []
    dropped = 0
    for wallet, stream in streams.items():
        row = rows.get(wallet)
        seen = 0 if row is None else row.version
        fresh = []
        for event in stream:
            if event.version <= seen:
                dropped += 1
                continue
            if event.version > seen + 1:
                holes.append(EventRange(wallet, seen + 1, event.version - 1))
            seen = event.version
            fresh.append(event)
        if fresh:
            news[wallet] = fresh
    return Sorted(news, holes, dropped)


def fill_holes(news: Streams, holes: Sequence[EventRange], missing: Streams) -> None:
    """Put fetched events where they belong. Raises `ProjectionGapError` if some are missing."""
    for hole in holes:
        found = [
            event
            for event in missing.get(hole.wallet, ())
            if hole.first_version <= event.version <= hole.last_version
        ]
        if len(found) != hole.last_version - hole.first_version + 1:
            message = (
                f"{hole.wallet.stream_id} of tenant {hole.wallet.tenant_id}: versions "
                f"{hole.first_version} to {hole.last_version} did not arrive, "
                f"and the log has {len(found)} of them"
            )
            raise ProjectionGapError(message)
    for wallet in {hole.wallet for hole in holes}:
        news[wallet] = sorted(news[wallet] + missing[wallet], key=lambda event: event.version)
