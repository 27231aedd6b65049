"""A repartition: a new generation of the events topic, filled from the log.

It publishes as a relay does, to a topic of its own, while everything goes on; what was filled
is recorded, so a call that was killed is continued by the next. When the new topic has all but
the last events, one transaction makes it the one that relay and projectors go by.
"""

import asyncio
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import asyncpg

from projections.checkpoint import check_log as check_projection
from projections.checkpoint import reopen_log
from projections.interface import LogDivergedError as ProjectionDivergedError
from services.relay.leadership import LogSession, SessionLostError
from services.relay.publication import Publication
from services.relay.publisher import Publisher, PublishError
from services.relay.refusals import LogGapError
from services.repartition.display import Display
from services.runtime.environment import SystemEnvironment
from services.runtime.health import ServersReadiness
from services.runtime.postgres import Connection
from services.runtime.settings import Settings
from services.runtime.sql import load_statement
from services.runtime.topic_identity import TopicIdentity, describe_topic
from services.runtime.topics import (
    TopicUnavailableError,
    ensure_topics,
    events_topic_of,
    existing_topics,
    generation_topic,
)

_LOOK_S = 0.1
_TRIES = 10
_NEARLY = 2000
"""The new topic takes over when it lacks no more events than the relay sends in one page."""


@cache
def _statement(name: str) -> str:
    return load_statement(__file__, name)


class RepartitionFailedError(Exception):
    """The new generation did not take over; relay and projectors go by the old one."""


class Target(NamedTuple):
    """The generation that is being filled, and its topic."""

    generation: int
    topic: str
    identity: TopicIdentity


class Repartition:
    """One call: it makes a generation, or goes on with the one that an earlier call began."""

    def __init__(
        self,
        settings: Settings,
        connection: Connection,
        environment: SystemEnvironment,
        display: Display,
    ) -> None:
        self._settings = settings
        self._connection = connection
        self._environment = environment
        self._display = display

    async def run(self, partitions: int | None) -> None:
        """Fill, and take over. Raises `RepartitionFailedError`."""
        # Before anything else: giving up what another call is filling would pull it away from it.
        if not await self._connection.fetchval(_statement("try_lock_repartition")):
            message = "a topic is being filled already by another call; let it end, or stop it"
            raise RepartitionFailedError(message)
        try:
            generations = await self._connection.fetch(_statement("generations"))
            target = await self._resume(generations, partitions)
            target = target or await self._choose(generations, partitions)
            await self._fill(target)
        except (TopicUnavailableError, PublishError, SessionLostError, LogGapError) as error:
            message = f"{error}; call it again to go on"
            raise RepartitionFailedError(message) from error

    async def _resume(
        self, generations: Sequence[asyncpg.Record], partitions: int | None
    ) -> Target | None:
        """The generation that an earlier call began, if it can still become what is wanted."""
        for row in generations:
            if not row["is_filling"]:
                continue
            recorded = TopicIdentity(row["topic_id"], row["partition_count"])
            if (
                partitions in {None, recorded.partition_count}
                and row["published_hash"] == row["log_hash"]
                and row["topic"] in await existing_topics(self._settings)
                and await describe_topic(self._settings, row["topic"]) == recorded
            ):
                self._display.note(f"going on with {row['topic']} at {row['published_position']}")
                return Target(row["generation"], row["topic"], recorded)
            await self._connection.execute(_statement("give_up_filling"), row["generation"])
            self._display.note(f"gave up {row['topic']}, which an earlier call began to fill")
        return None

    async def _choose(
        self, generations: Sequence[asyncpg.Record], partitions: int | None
    ) -> Target:
        """The next generation, in a topic that was not there before."""
        current = next((row for row in generations if not row["is_filling"]), None)
        if current is None:
            message = (
                "the relay has published nothing yet: LEDGER_TOPIC_PARTITIONS says how many "
                "partitions the first topic gets"
            )
            raise RepartitionFailedError(message)
        there_are = await existing_topics(self._settings)
        base = self._settings.events_topic
        generation = max(row["generation"] for row in generations) + 1
        # After a restore the log may not know of a generation that Kafka has.
        while generation_topic(base, generation) in there_are:
            generation += 1
        topic = generation_topic(base, generation)
        count = partitions or current["partition_count"]
        await ensure_topics(self._settings, [events_topic_of(topic, count)])
        return Target(generation, topic, await describe_topic(self._settings, topic))

    async def _fill(self, target: Target) -> None:
        """Publish the log to the new topic as the only one who does, until it has taken over."""
        dsn = self._settings.require_database_url()
        session = await LogSession.open(dsn, self._environment, target.generation)
        try:
            if not await session.try_lead():
                raise RepartitionFailedError(f"{target.topic} is being filled already")
            progress = await session.progress()
            if progress is None:
                await session.begin(target.topic, *target.identity, is_filling=True)
                progress = await session.progress()
            assert progress is not None, "it has just been recorded"
            publisher = await session.hold(Publisher.start(self._settings))
            publisher.choose_topic(target.topic)
            publication = Publication(
                session, publisher, progress, self._environment, ServersReadiness()
            )
            publishing = asyncio.create_task(publication.run())
            try:
                with self._display:
                    await self._watch(target, publishing)
                position = await self._take_over_soon(target)
            finally:
                publishing.cancel()
                await asyncio.gather(publishing, return_exceptions=True)
                await publisher.close()
        finally:
            await session.close()
        self._display.done(target.topic, target.identity.partition_count, position)

    async def _watch(self, target: Target, publishing: "asyncio.Task[None]") -> None:
        """Come back when the new topic has nearly all. Raises what the publishing raises."""
        while True:
            done, _ = await asyncio.wait({publishing}, timeout=_LOOK_S)
            for task in done:
                task.result()
            (filled,) = await self._connection.fetch(_statement("filled"), target.generation)
            self._display.progress(filled["position"], filled["head"])
            if filled["head"] - filled["position"] <= _NEARLY:
                return

    async def _take_over_soon(self, target: Target) -> int:
        """Take over; again where a projector and this were each waiting for the other."""
        for _ in range(_TRIES):
            try:
                return await self._take_over(target)
            except (asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError):
                await self._environment.sleep(_LOOK_S)
        message = "the checkpoints were never free to be changed; call it again"
        raise RepartitionFailedError(message)

    async def _take_over(self, target: Target) -> int:
        """Let relay and projectors go by the new topic; the position that it has by then.

        A projection that is of another log cannot go on with any topic. It is left as it is,
        and will say so itself. Raises `RepartitionFailedError` if nobody records the target as
        being filled any more: nothing was changed then.
        """
        diverged = []
        async with self._connection.transaction():
            position: int | None = await self._connection.fetchval(
                _statement("take_over"), target.generation
            )
            if position is None:
                message = f"{target.topic} is not recorded as being filled any more; call it again"
                raise RepartitionFailedError(message)
            for (name,) in await self._connection.fetch(_statement("projections")):
                try:
                    await check_projection(self._connection, name)
                except ProjectionDivergedError:
                    diverged.append(name)
                else:
                    await reopen_log(self._connection, name)
        for name in diverged:
            self._display.note(
                f"{name} has folded what the log does not have: ledger rebuild {name}"
            )
        return position
