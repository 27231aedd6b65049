"""The balances with their parts over one log on real PostgreSQL, folded in batches of any cut."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from msgspec.structs import replace

from projections.balances.parts import EventT, PartKind, ViewT
from projections.checkpoint import Checkpoint, Move, begin_checkpoints
from projections.interface import ProjectedEvent
from projections.log import prepare_session
from projections.registry import PROJECTIONS
from projections.runner import Runner
from tests.specs.event_factory import EventFactory, projected, write_log

START = Checkpoint(partition=0, topic_id="topic", next_offset=0, position=0, hash=None)


class Balances:
    """The read model, and a checkpoint that follows what is applied to it."""

    def __init__(self, connection: "asyncpg.Connection[Any]") -> None:
        self.connection = connection
        self.factory = EventFactory(seed=9)
        self._at = START

    async def happened(self, *, folded: bool = True) -> list[ProjectedEvent]:
        """Write what the factory made into the log, and fold it in one batch, or not yet."""
        events = [projected(event) for event in await write_log(self.connection, self.factory)]
        if folded:
            await self.apply(events)
        return events

    async def apply(self, events: Sequence[ProjectedEvent]) -> None:
        """Fold a batch."""
        after = replace(
            self._at, next_offset=self._at.next_offset + 1, position=events[-1].position
        )
        runner = Runner(PROJECTIONS["balances"], self.connection)
        await runner.apply(events, [Move(self._at, after)])
        self._at = after

    async def parts(self, kind: PartKind[ViewT, EventT]) -> dict[str, ViewT]:
        """Every part of a kind, by its id."""
        rows = await self.connection.fetch(f"TABLE {kind.table}")
        views = [kind.view_of(f"wal_{row['wallet_id'].hex}", row) for row in rows]
        return {view.id: view for view in views}


@asynccontextmanager
async def balances(dsn: str) -> AsyncIterator[Balances]:
    """Balances that have begun, over an empty log."""
    connection = await asyncpg.connect(dsn)
    await prepare_session(connection)
    await begin_checkpoints(connection, "balances", [START])
    yield Balances(connection)
    connection.terminate()
