"""Both read models over one log on real PostgreSQL, for questions to them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from projections.checkpoint import Checkpoint, Move, begin_checkpoints
from projections.log import prepare_session
from projections.registry import PROJECTIONS
from projections.runner import Runner
from schemas.events import RecordedEvent
from tests.specs.event_factory import EventFactory, projected, write_log


class Models:
    """Both read models over one log."""

    def __init__(self, connection: "asyncpg.Connection[Any]") -> None:
        self.connection = connection
        self.factory = EventFactory(seed=5)
        self._at = {
            name: Checkpoint(partition=0, topic_id="t", next_offset=0, position=0, hash=None)
            for name in PROJECTIONS
        }

    async def begin(self) -> None:
        """Give both a checkpoint."""
        for name, checkpoint in self._at.items():
            await begin_checkpoints(self.connection, name, [checkpoint])

    async def happened(self, *, folded: bool = True) -> list[RecordedEvent]:
        """Write what the factory made, and fold it, or not yet."""
        events = await write_log(self.connection, self.factory)
        if folded:
            for name, before in self._at.items():
                after = Checkpoint(
                    partition=0,
                    topic_id="t",
                    next_offset=before.next_offset + 1,
                    position=events[-1].position,
                    hash=None,
                )
                runner = Runner(PROJECTIONS[name], self.connection)
                await runner.apply(map(projected, events), [Move(before, after)])
                self._at[name] = after
        return events


@asynccontextmanager
async def read_models(dsn: str) -> AsyncIterator[Models]:
    """Read models that have begun, over an empty log."""
    connection = await asyncpg.connect(dsn)
    await prepare_session(connection)
    models = Models(connection)
    await models.begin()
    yield models
    connection.terminate()
