"""`ledger rebuild NAME`: makes a read model anew from the log, beside the live one.

It folds no event that the live one has not folded, so that both can be compared at the
same events; then, under a short lock, it takes the live one's place. Where the live one
stands still, it goes on alone, and the live one begins again from there. While the live one
reads the log again, nobody can say what it has folded: it is waited for.
"""

from functools import lru_cache

import asyncpg
import structlog
from rich.console import Console

from projections.checkpoint import (
    LOG_OPEN,
    LOG_PARTITION,
    Checkpoint,
    CheckpointLostError,
    Move,
    begin_checkpoints,
)
from projections.interface import AnyProjection, Connection, PageStart, ProjectedEvent
from projections.log import LogPage, prepare_session, read_log, read_published
from projections.registry import PROJECTIONS
from projections.runner import Runner
from services.projector.progress import Differences, Display
from services.projector.shadow import RebuildRunningError, Shadow
from services.runtime.environment import SystemEnvironment
from services.runtime.kafka import partition_for
from services.runtime.postgres import connect
from services.runtime.settings import Settings
from services.runtime.sql import load_statement

_PAGE_EVENTS = 2000
_UNDER_LOCK_LIMIT = 2 * _PAGE_EVENTS
"""More events than this are folded before the lock, not under it."""
_STRANGERS_PAGE = 10_000
_WAIT_S = 0.1
_STANDSTILL_S = 10.0
_SWITCH_TRIES = 30

_READ_LIVE = load_statement(__file__, "read_live_checkpoints")
_RESTART_LIVE = load_statement(__file__, "restart_live_checkpoints")
_LIVE_HAS_DIVERGED = load_statement(__file__, "live_has_diverged")

_log = structlog.get_logger()


class RebuildFailedError(Exception):
    """The rebuild could not be done; the live read model is as it was."""


async def run(settings: Settings, name: str) -> int:
    """Rebuild and switch. 0 when done, also if the live read model was found to be wrong."""
    display = Display(Console(), name)
    connection = await connect(settings.require_database_url(), f"ledger-rebuild-{name}")
    try:
        await prepare_session(connection)
        await Rebuild(PROJECTIONS[name], connection, SystemEnvironment(), display).run()
    except (RebuildFailedError, RebuildRunningError) as error:
        display.failed(str(error))
        return 1
    finally:
        await connection.close()
    return 0


class Rebuild:
    """One rebuild of one read model."""

    def __init__(
        self,
        projection: AnyProjection,
        connection: Connection,
        environment: SystemEnvironment,
        display: Display,
    ) -> None:
        self._projection = projection
        self._connection = connection
        self._environment = environment
        self._display = display
        self._shadow = Shadow(projection, connection)
        self._runner = Runner(projection, connection)
        self._at = Checkpoint(
            partition=LOG_PARTITION, topic_id=LOG_OPEN, next_offset=1, position=0, hash=None
        )
        self._live: dict[int, int] = {}
        """How far the live one has folded each partition; empty while it is not at the topic."""
        self._partition_count = 0
        self._alone = False
        self._differences = Differences()

    async def run(self) -> None:
        """Build, compare, switch. Raises `RebuildFailedError`, `RebuildRunningError`."""
        await self._shadow.create()
        try:
            await begin_checkpoints(self._connection, self._projection.name, [self._at])
            await self._look_whether_live_goes_on()
            with self._display:
                await self._build()
                await self._find_strangers()
                await self._shadow.analyze()
                await self._switch()
        finally:
            await self._shadow.drop()
        self._display.done(self._at.position, self._differences, compared=not self._alone)

    async def _look_whether_live_goes_on(self) -> None:
        """Go on alone where the live projection is of another log or topic, and refuses to work."""
        name = self._projection.name
        rows = await self._connection.fetch(_READ_LIVE, name)
        if not rows or await read_published(self._connection) is None:
            message = (
                f"{name} has not begun yet, so there is nothing to rebuild: "
                f"start `ledger projector {name}`"
            )
            raise RebuildFailedError(message)
        await self._look_at_live()
        is_at_a_topic = any(row["partition"] != LOG_PARTITION for row in rows)
        diverged = await self._connection.fetchval(_LIVE_HAS_DIVERGED, name)
        self._alone = diverged or (is_at_a_topic and not self._live)

    async def _build(self) -> None:
        """Fold the log until what remains is little enough to be folded under the lock."""
        moved_at = self._environment.monotonic()
        while True:
            await self._look_at_live()
            end = await self._end()
            folded = 0 if end is None else await self._fold_a_page(end)
            now = self._environment.monotonic()
            if folded:
                moved_at = now
            if end is not None and folded < _PAGE_EVENTS and self._lacks_little(end):
                return
            if not folded and now - moved_at > _STANDSTILL_S:
                self._go_on_alone()
            if not folded:
                await self._environment.sleep(_WAIT_S)

    def _lacks_little(self, end: int) -> bool:
        return end - self._at.position <= _UNDER_LOCK_LIMIT // 2

    async def _fold_a_page(self, end: int) -> int:
        """Fold the next page, no further than the live one and `end`; how many events."""
        self._display.progress(self._at.position, end)
        page_end = min(self._at.position + _PAGE_EVENTS, end)
        return await self._fold_what_live_has(
            await read_log(self._connection, self._at.position, page_end)
        )

    async def _fold_what_live_has(self, page: LogPage) -> int:
        """Fold the page up to the first event that the live one has not folded; how many."""
        known = len(page.events)
        for place, event in enumerate(page.events):
            if not self._is_live(event):
                known = place
                break
        events = page.events[:known]
        if not events:
            return 0
        whole = known == len(page.events)
        await self._fold(events, events[-1].position, page.last_hash if whole else None)
        return known

    async def _fold(
        self, events: list[ProjectedEvent], position: int, last_hash: bytes | None
    ) -> None:
        after = Checkpoint(
            partition=LOG_PARTITION,
            topic_id=LOG_OPEN,
            next_offset=position + 1,
            position=position,
            hash=last_hash,
        )
        try:
            applied = await self._runner.apply(events, [Move(self._at, after)])
        except CheckpointLostError as error:
            message = f"something else wrote the tables of the rebuild: {error}"
            raise RebuildFailedError(message) from error
        self._at = after
        if applied.ranges and not self._alone:
            found = await self._projection.compare(self._connection, applied.ranges)
            self._differences.add(found)

    async def _find_strangers(self) -> None:
        """Find what the live tables have and the log does not."""
        after: PageStart | None = None
        while not self._alone:
            found, after = await self._projection.strangers(
                self._connection, after, self._at.position, _STRANGERS_PAGE
            )
            self._differences.add(found)
            if after is None:
                return

    async def _switch(self) -> None:
        for _ in range(_SWITCH_TRIES):
            try:
                async with self._shadow.locked():
                    await self._look_at_live()
                    end = await self._end()
                    if end is not None and end - self._at.position <= _UNDER_LOCK_LIMIT:
                        await self._finish(end)
                        return
            except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
                _log.info("tables_busy", projection=self._projection.name)
            await self._build()
        message = "the live tables were never quiet enough to be replaced; try again"
        raise RebuildFailedError(message)

    async def _finish(self, end: int) -> None:
        """Fold the last events and take over, under the lock."""
        page = await read_log(self._connection, self._at.position, end)
        events = [event for event in page.events if self._is_live(event)]
        await self._fold(events, max(end, self._at.position), page.last_hash or self._at.hash)
        await self._shadow.take_over()
        if self._alone:
            await self._connection.execute(
                _RESTART_LIVE, self._projection.name, LOG_OPEN, self._at.position, self._at.hash
            )
        self._display.progress(self._at.position, self._at.position)

    async def _look_at_live(self) -> None:
        rows = await self._connection.fetch(_READ_LIVE, self._projection.name)
        published = await read_published(self._connection)
        assert published is not None, "it was there at the beginning"
        # Repartition and retention take every checkpoint away, for a moment or for long; and
        # positions of another topic's partitions say nothing about those of this one.
        rows = [row for row in rows if row["partition"] != LOG_PARTITION]
        count = published.partition_count
        is_there = {(row["partition"], row["topic_id"]) for row in rows} == {
            (each, published.topic_id) for each in range(count)
        }
        self._live = {row["partition"]: row["position"] for row in rows} if is_there else {}
        self._partition_count = count

    async def _end(self) -> int | None:
        """The newest position that is to be folded by now; None while that is not known."""
        if self._alone:
            published = await read_published(self._connection)
            assert published is not None, "it was there at the beginning"
            return published.published_position
        return max(self._live.values(), default=None)

    def _is_live(self, event: ProjectedEvent) -> bool:
        """Whether the live projection has folded the event, or is not asked any more."""
        if self._alone:
            return True
        partition = _partition_of(event.wallet.stream_id, self._partition_count)
        return event.position <= self._live.get(partition, -1)

    def _go_on_alone(self) -> None:
        self._alone = True
        where = f"stands still at {min(self._live.values())}" if self._live else "reads the log"
        self._display.note(
            f"the live {self._projection.name} {where}: "
            "going on without comparing; it will begin again from the log"
        )


@lru_cache(maxsize=65536)
def _partition_of(wallet_id: str, partition_count: int) -> int:
    return partition_for(wallet_id.encode(), partition_count)
