"""The relay's session in PostgreSQL: the lock, the log and the progress on one connection.

Whoever holds the lock is the active relay. Because the same session reads the log and
records progress, a relay that lost the lock can do neither: its connection is gone.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import timedelta
from functools import cache
from typing import NamedTuple, Self, TypeVar, cast

import asyncpg
from msgspec import Struct

from services.relay import metrics
from services.relay.cloudevents import LogRow
from services.runtime import postgres
from services.runtime.environment import SystemEnvironment
from services.runtime.sql import load_statement

GENERATION = 1
"""The generation of the topic that a ledger begins with."""

LOCK_CLASS = 0x7265_6C61
"""With the generation, the advisory lock of the active relay ("rela" in ASCII)."""

PING_INTERVAL_S = 1.0

_SESSION_SETTINGS = {
    # A stopped process loses its session, and with it the lock, after this much silence.
    "idle_session_timeout": "3s",
    # Where a crash of PostgreSQL takes the last progress back, some events are published
    # twice, which subscribers expect; so recording it need not wait for the disk.
    "synchronous_commit": "off",
    # Every statement goes by key. A plan made while the log was empty must not scan it.
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "jit": "off",
}
_STUCK_AFTER = timedelta(seconds=3)
_ANSWER_TIMEOUT_S = 5.0
_FRESH_S = 0.1

_Done = TypeVar("_Done")


@cache
def _statement(name: str) -> str:
    return load_statement(__file__, name)


class SessionLostError(Exception):
    """PostgreSQL did not answer, or ended the session: whatever lock it held is gone."""


class Progress(Struct, frozen=True, kw_only=True):
    """How far a topic is published, and the hash that the log itself has there."""

    topic: str
    topic_id: str
    partition_count: int
    published_position: int
    published_hash: bytes | None
    log_hash: bytes | None


class Lag(NamedTuple):
    """How far Kafka is, how far the log is, and how long the first event between has waited."""

    published_position: int
    head_position: int
    waiting_s: float | None


class LogSession:
    """One session. Every method raises `SessionLostError`, after which it is of no use."""

    def __init__(
        self,
        connection: postgres.Connection,
        environment: SystemEnvironment,
        generation: int | None = None,
    ) -> None:
        self._connection = connection
        self._follows = generation is None
        self.generation = generation or GENERATION
        """The generation that everything here is about; of a relay, the one that is current."""
        self._environment = environment
        self._answered_at = environment.monotonic()
        self._news = asyncio.Event()

    @classmethod
    async def open(
        cls, dsn: str, environment: SystemEnvironment, generation: int | None = None
    ) -> Self:
        """Connect, and listen for appends. The lock is not taken yet.

        Without a generation the session is of the one that is current when it tries to lead.
        """
        try:
            async with asyncio.timeout(_ANSWER_TIMEOUT_S):
                connection = await postgres.connect(dsn, "ledger relay", _SESSION_SETTINGS)
                session = cls(connection, environment, generation)
                await connection.add_listener("ledger_appended", session._on_appended)
        except postgres.LOST as error:
            raise SessionLostError(f"cannot connect to PostgreSQL: {error!r}") from error
        return session

    def _on_appended(self, *_notification: object) -> None:
        self._news.set()

    async def close(self) -> None:
        """Give the lock back if it is held, and leave; a broken session is just dropped."""
        try:
            await self._fetch("release")
            await self._connection.close(timeout=_ANSWER_TIMEOUT_S)
        except (SessionLostError, *postgres.LOST):
            self._connection.terminate()

    async def try_lead(self) -> bool:
        """Take the lock if it is free, or as good as free: then it is the next try's."""
        if self._follows:
            ((current,),) = await self._fetch("current_generation")
            self.generation = current or GENERATION
        await self._fetch("evict_stuck_leader", LOCK_CLASS, self.generation, _STUCK_AFTER)
        rows = await self._fetch("try_lead", LOCK_CLASS, self.generation)
        return bool(rows[0][0])

    async def ping(self) -> Lag:
        """Show PostgreSQL that this process runs, and learn that the session lives.

        The answer tells Prometheus how far Kafka is behind the log, also while it is away.
        """
        row = (await self._fetch("read_lag", self.generation))[0]
        if not row["is_current"]:
            raise SessionLostError(f"generation {self.generation} of the topic was replaced")
        lag = Lag(row["published_position"], row["head_position"], row["waiting_s"])
        metrics.PUBLISHED_POSITION.set(lag.published_position)
        metrics.HEAD_POSITION.set(lag.head_position)
        metrics.LAG_EVENTS.set(lag.head_position - lag.published_position)
        metrics.LAG_SECONDS.set(lag.waiting_s or 0.0)
        return lag

    async def confirm(self) -> None:
        """Make sure that the lock is held now. To be called before anything is sent.

        An answer of a moment ago says it as well as another ping would: the session is
        not ended before seconds of silence. After a stop, however long, it is not recent.
        """
        if self._environment.monotonic() - self._answered_at > _FRESH_S:
            await self.ping()

    async def hold(self, work: Awaitable[_Done]) -> _Done:
        """Wait for something else without losing the session: ping each second meanwhile."""
        task = asyncio.ensure_future(work)
        try:
            while True:
                await self.confirm()
                done, _ = await asyncio.wait({task}, timeout=PING_INTERVAL_S)
                if done:
                    return task.result()
        finally:
            task.cancel()
            # If the session is lost, nobody hears how the work failed.
            await asyncio.gather(task, return_exceptions=True)

    async def read_page(self, after_position: int, limit: int) -> Sequence[LogRow]:
        """Up to `limit` events after a position, in order."""
        self._news.clear()
        rows = await self._fetch("read_page", after_position, limit)
        # A record of asyncpg can do what the relay does with a tuple, and is at hand.
        return cast("Sequence[LogRow]", rows)

    async def wait_for_news(self, timeout_s: float) -> None:
        """Until something is appended, as far as PostgreSQL tells, or the time is up."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._news.wait()
        except TimeoutError:
            return

    async def progress(self) -> Progress | None:
        """What is recorded of this generation; None before the first start."""
        rows = await self._fetch("read_progress", self.generation)
        return Progress(**rows[0]) if rows else None

    async def unknown(self, positions: Sequence[int], hashes: Sequence[bytes]) -> list[int]:
        """Which of these events the log does not have, or has with another hash."""
        rows = await self._fetch("unknown_events", positions, hashes)
        return [row["position"] for row in rows]

    async def begin(
        self, topic: str, topic_id: str, partition_count: int, *, is_filling: bool = False
    ) -> None:
        """Record the topic that this generation is published to, from now on."""
        await self._fetch(
            "begin_progress", self.generation, topic, topic_id, partition_count, is_filling
        )

    async def record(self, from_position: int, position: int, event_hash: bytes) -> None:
        """Record that everything up to a position is published."""
        rows = await self._fetch(
            "record_progress", self.generation, from_position, position, event_hash
        )
        if not rows:
            message = (
                f"progress of generation {self.generation} is not at {from_position}: another "
                "relay has recorded it, or the generation was replaced"
            )
            raise SessionLostError(message)

    async def _fetch(self, name: str, *arguments: object) -> list[asyncpg.Record]:
        # When it was asked: after a stop, an answer may have lain there for long.
        asked_at = self._environment.monotonic()
        try:
            rows = await self._connection.fetch(
                _statement(name), *arguments, timeout=_ANSWER_TIMEOUT_S
            )
        except postgres.LOST as error:
            raise SessionLostError(f"PostgreSQL did not answer: {error!r}") from error
        self._answered_at = asked_at
        return rows
