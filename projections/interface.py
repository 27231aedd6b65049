"""What a projection declares: a name, its tables, and how a batch of events changes them.

The runtime (`projections.runner`) does the rest, once for all of them: order, gaps,
redelivery, transaction, checkpoint. A projection is only ever given events that are the
next ones of their wallets.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

import asyncpg

from projections.events import (
    EventRange,
    LogDivergedError,
    ProjectedEvent,
    ProjectionGapError,
    ProjectionMismatchError,
    ProjectionStoppedError,
    UnreadableEventError,
)
from schemas.identifiers import StreamKey

__all__ = [
    "AnyProjection",
    "Connection",
    "EventRange",
    "LogDivergedError",
    "PageStart",
    "ProjectedEvent",
    "Projection",
    "ProjectionGapError",
    "ProjectionMismatchError",
    "ProjectionStoppedError",
    "Reader",
    "UnreadableEventError",
    "Versioned",
    "WalletNews",
]

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Reader: TypeAlias = (
    "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
    " | asyncpg.Pool[asyncpg.Record]"
)
"""Whatever can be asked a question: a connection, or a pool of them."""
PageStart: TypeAlias = tuple[str, ...]
"""Behind which row of which table a page begins; only the projection itself reads it."""


class Versioned(Protocol):
    """A row that says up to which version of its wallet it holds."""

    @property
    def version(self) -> int:
        """The last version that was folded into the row."""


Row = TypeVar("Row", bound=Versioned)


class WalletNews(NamedTuple, Generic[Row]):
    """One wallet's row, if it has one, and the events that follow it without a gap."""

    wallet: StreamKey
    row: Row | None
    events: Sequence[ProjectedEvent]


class Projection(Protocol[Row]):
    """One read model and how events change it."""

    @property
    def name(self) -> str:
        """Names the read model, its folder, its consumer group and its checkpoints."""

    @property
    def tables(self) -> Sequence[str]:
        """Its tables, in the order in which they are locked when a rebuilt model takes over."""

    async def load(
        self, connection: Connection, wallets: Sequence[StreamKey]
    ) -> Mapping[StreamKey, Row]:
        """The rows of these wallets; those without one are left out."""

    async def store(
        self, connection: Connection, news: Sequence[WalletNews[Row]]
    ) -> Mapping[StreamKey, Row]:
        """Fold the events onto the rows and write them, in the transaction under way.

        The answer is those rows as `load` would give them now.
        Raises `ProjectionMismatchError` where an event contradicts its row.
        """

    async def compare(self, connection: Connection, ranges: Sequence[EventRange]) -> list[str]:
        """What differs between the rebuilt tables and the live ones (`live_<table>`).

        Looks at these events' wallets only, and only where both are at the same version.
        """

    async def strangers(
        self, connection: Connection, after: PageStart | None, up_to_position: int, limit: int
    ) -> tuple[list[str], PageStart | None]:
        """What only the live tables have, one page; and where the next page begins.

        What the log has made behind `up_to_position` is no stranger.
        """


AnyProjection: TypeAlias = Projection[Any]
