"""The relay's life: connect, wait for the lock, publish; and again after every failure.

Whatever fails, publishing starts again from what is recorded, and only what every
partition has acknowledged gets recorded. So events may be published twice, never lost.
"""

import asyncio
from typing import NoReturn

import structlog

from services.relay import metrics
from services.relay.leadership import LogSession, Progress, SessionLostError
from services.relay.publication import Publication, check_log
from services.relay.publisher import Publisher, PublishError
from services.relay.refusals import LogDivergedError, TopicRefusedError
from services.runtime.environment import SystemEnvironment
from services.runtime.health import ServersReadiness
from services.runtime.settings import Settings
from services.runtime.topic_end import newest_published
from services.runtime.topic_identity import TopicIdentity, describe_topic
from services.runtime.topics import (
    TopicUnavailableError,
    ensure_topics,
    is_generation_of,
    ledger_topics,
)

_STANDBY_INTERVAL_S = 0.5
_TOPIC_INTERVAL_S = 10.0
_BACKOFF_MIN_S = 0.1
_BACKOFF_MAX_S = 2.0
_STEADY_S = 10.0
_NOT_OURS = (
    "This log has published nothing to the topic yet. If another ledger does, give each topics of "
    "its own: LEDGER_EVENTS_TOPIC, LEDGER_COMMANDS_TOPIC, LEDGER_RESULTS_TOPIC, "
    "LEDGER_REJECTED_TOPIC."
)
_TAKEN_BACK = "If the log was restored to an earlier point, make a new topic generation."

_log = structlog.get_logger()


class _Backoff:
    """Pauses that double while failures follow each other closely."""

    def __init__(self, environment: SystemEnvironment) -> None:
        self._environment = environment
        self._pause_s = _BACKOFF_MIN_S
        self._began_at = environment.monotonic()

    def begin(self) -> None:
        """A try begins."""
        self._began_at = self._environment.monotonic()

    async def pause(self) -> None:
        """A try has failed; one that had gone well for long is not held against the next."""
        if self._environment.monotonic() - self._began_at > _STEADY_S:
            self._pause_s = _BACKOFF_MIN_S
        pause_s = self._pause_s
        self._pause_s = min(pause_s * 2, _BACKOFF_MAX_S)
        await self._environment.sleep(pause_s)


class Relay:
    """One relay process: the leader, or a standby that takes over within seconds."""

    def __init__(
        self, settings: Settings, environment: SystemEnvironment, readiness: ServersReadiness
    ) -> None:
        self._settings = settings
        self._environment = environment
        self._readiness = readiness

    async def run(self) -> NoReturn:
        """Work until cancelled. Raises `RelayRefusesError` where going on would do harm."""
        backoff = _Backoff(self._environment)
        dsn = self._settings.require_database_url()
        while True:
            backoff.begin()
            try:
                session = await LogSession.open(dsn, self._environment)
                try:
                    self._readiness.postgres = None
                    await self._serve(session)
                finally:
                    metrics.IS_LEADER.set(0)
                    await session.close()
            except SessionLostError as error:
                self._readiness.postgres = str(error)
                _log.warning("session_lost", reason=str(error))
            await backoff.pause()

    async def _serve(self, session: LogSession) -> NoReturn:
        """Keep a producer, and work with it. A failing Kafka costs the producer, not the lock."""
        backoff = _Backoff(self._environment)
        while True:
            backoff.begin()
            try:
                publisher = await session.hold(Publisher.start(self._settings))
                try:
                    await self._stand_by(session)
                    await self._lead(session, publisher)
                finally:
                    await publisher.close()
            except (PublishError, TopicUnavailableError) as error:
                metrics.SEND_FAILURES.inc()
                self._readiness.kafka = str(error)
                _log.warning("kafka_failed", reason=str(error))
            await session.hold(backoff.pause())

    async def _stand_by(self, session: LogSession) -> None:
        """Return when this process leads."""
        checked_at = float("-inf")
        while not await session.try_lead():
            now = self._environment.monotonic()
            if now - checked_at > _TOPIC_INTERVAL_S:
                first = checked_at == float("-inf")
                checked_at = now
                await self._check_topic(session)
                if first:
                    _log.info("standing_by")
            await self._environment.sleep(_STANDBY_INTERVAL_S)

    async def _lead(self, session: LogSession, publisher: Publisher) -> NoReturn:
        progress = await self._check_topic(session) or await self._begin(session)
        check_log(progress)
        await self._check_topics_end(session, progress)
        publisher.choose_topic(progress.topic)
        metrics.IS_LEADER.set(1)
        _log.info("leading", topic=progress.topic, published_position=progress.published_position)
        publication = Publication(session, publisher, progress, self._environment, self._readiness)
        tasks = {
            asyncio.create_task(publication.run(), name="publication"),
            asyncio.create_task(self._watch_topic(progress), name="topic watch"),
        }
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await done.pop()
            raise AssertionError("both work until they fail")
        finally:
            for task in tasks:
                task.cancel()
            # Both may have failed: then one says it for both.
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _begin(self, session: LogSession) -> Progress:
        """Bind the generation to the topic, which is made if need be: the very first start."""
        topic = self._settings.events_topic
        await session.hold(ensure_topics(self._settings, ledger_topics(self._settings)))
        found = await session.hold(describe_topic(self._settings, topic))
        await session.begin(topic, found.topic_id, found.partition_count)
        progress = await self._check_topic(session)
        assert progress is not None, "it has just been recorded"
        return progress

    async def _check_topic(self, session: LogSession) -> Progress | None:
        """The recorded progress, once the topic is known to be the one that it is about."""
        progress = await session.progress()
        if progress is not None:
            await session.hold(self._check_identity(progress))
        self._readiness.kafka = None
        return progress

    async def _check_topics_end(self, session: LogSession, progress: Progress) -> None:
        """Refuse a log that was taken back: progress, which is in it, was taken back with it."""
        newest = await session.hold(
            newest_published(self._settings, progress.topic, progress.partition_count)
        )
        positions, hashes = [each.position for each in newest], [each.hash for each in newest]
        unknown = await session.unknown(positions, hashes)
        if unknown:
            raise LogDivergedError(
                topic=progress.topic,
                published_position=progress.published_position,
                positions_that_the_log_lacks=unknown,
                hint=_NOT_OURS if progress.published_position == 0 else _TAKEN_BACK,
            )

    async def _watch_topic(self, progress: Progress) -> NoReturn:
        """Notice a topic that is deleted and made again, and a Kafka that went away idle."""
        while True:
            await self._environment.sleep(_TOPIC_INTERVAL_S)
            await self._check_identity(progress)

    async def _check_identity(self, progress: Progress) -> None:
        recorded = TopicIdentity(progress.topic_id, progress.partition_count)
        found: TopicIdentity | None = None
        if is_generation_of(progress.topic, self._settings.events_topic):
            found = await describe_topic(self._settings, progress.topic)
        if found != recorded:
            raise TopicRefusedError(
                topic=progress.topic if found else self._settings.events_topic,
                topic_id=found and found.topic_id,
                partition_count=found and found.partition_count,
                recorded_topic=progress.topic,
                recorded_topic_id=progress.topic_id,
                recorded_partition_count=progress.partition_count,
            )
