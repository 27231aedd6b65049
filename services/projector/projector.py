"""One projector: reads its partitions in batches and applies them; and again after failures.

What a batch does is `projections.runner`'s; here is where the batches come from, and what
happens when the database, Kafka or the partition goes away.
"""

import asyncio
from typing import NoReturn

import asyncpg
import msgspec
import structlog
from aiokafka.errors import KafkaError

from projections.checkpoint import TopicChangedError, check_log, check_published, reopen_log
from projections.interface import AnyProjection, Connection
from projections.log import FIRST_GENERATION, prepare_session, read_published
from services.projector import metrics
from services.projector.beginning import Beginning, GenerationReplacedError
from services.projector.events_topic import EventsTopic, OffsetsLostError
from services.projector.follower import Follower, NotBegunError
from services.runtime.consumers import DeadConsumerError
from services.runtime.environment import SystemEnvironment
from services.runtime.postgres import UNUSABLE, connect
from services.runtime.settings import Settings
from services.runtime.topic_end import newest_published
from services.runtime.topic_identity import TopicIdentity, describe_topic
from services.runtime.topics import TopicUnavailableError

_SMALL_BATCH = 1000
_REST_S = 0.010
"""After a small batch: each costs a commit, whatever it holds. Under load it is the relay's
rest that gathers events; resting as long again here would only double the delay."""
_OBSERVE_INTERVAL_S = 1.0
_TOPIC_INTERVAL_S = 30.0
_TOPIC_TIMEOUT_S = 10.0
_BACKOFF_S = 0.5

_FAILURES = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidTransactionStateError,
    asyncpg.TransactionRollbackError,
    *UNUSABLE,
    KafkaError,
    DeadConsumerError,
    TopicUnavailableError,
)
"""What time and a new connection may heal. Anything else ends the process."""

_log = structlog.get_logger()


class Projector:
    """One process's share of one projection."""

    def __init__(
        self,
        settings: Settings,
        projection: AnyProjection,
        environment: SystemEnvironment,
        readiness: metrics.Readiness,
    ) -> None:
        self._settings = settings
        self._projection = projection
        self._name = projection.name
        self._environment = environment
        self._readiness = readiness

    async def run(self) -> NoReturn:
        """Project until cancelled. Raises `ProjectionStoppedError` rather than skip anything."""
        dsn = self._settings.require_database_url()
        while True:
            try:
                connection = await connect(dsn, f"ledger-projector-{self._name}")
                try:
                    await self._serve(connection)
                finally:
                    # What is under way is not worth waiting for: it commits whole or not at all.
                    connection.terminate()
            except (OffsetsLostError, NotBegunError, GenerationReplacedError) as error:
                _log.warning("beginning_again", reason=str(error))
            except _FAILURES as error:
                _log.warning("connection_failed", reason=repr(error))
                self._readiness.doing = f"reconnecting: {error!r}"
            self._readiness.connected = False
            self._readiness.silence = None
            await self._environment.sleep(_BACKOFF_S)

    async def _serve(self, connection: Connection) -> NoReturn:
        await prepare_session(connection)
        await check_log(connection, self._name)
        published = await read_published(connection)
        if published is None:
            name, generation = self._settings.events_topic, FIRST_GENERATION
        else:
            name, generation = published.topic, published.generation
        self._readiness.doing = f"waiting for the topic {name}"
        identity = await describe_topic(self._settings, name)
        settings = msgspec.structs.replace(self._settings, events_topic=name)
        await Beginning(
            settings,
            self._projection,
            connection,
            self._environment,
            self._readiness,
            generation=generation,
        ).ensure(identity)
        newest = await newest_published(settings, name, identity.partition_count)
        await check_published(
            connection,
            self._name,
            [each.position for each in newest],
            [each.hash for each in newest],
        )
        topic = EventsTopic(settings, self._name, self._environment)
        try:
            await topic.start()
            self._readiness.connected = True
            self._readiness.doing = "catching up"
            follower = Follower(self._projection, connection, topic, identity, generation)
            await self._follow(follower, name, identity)
        except OffsetsLostError:
            await self._check_topic(name, identity)
            await reopen_log(connection, self._name)
            raise
        finally:
            await topic.stop()

    async def _follow(self, follower: Follower, name: str, identity: TopicIdentity) -> NoReturn:
        observed_at = checked_at = self._environment.monotonic()
        while True:
            messages = await follower.step()
            now = self._environment.monotonic()
            if now - checked_at > _TOPIC_INTERVAL_S:
                checked_at = now
                await self._check_topic(name, identity)
                await follower.note_quiet_partitions()
            if now - observed_at > _OBSERVE_INTERVAL_S or not self._readiness.caught_up:
                observed_at = now
                await self._observe(follower)
            if 0 < messages < _SMALL_BATCH:
                await self._environment.sleep(_REST_S)

    async def _observe(self, follower: Follower) -> None:
        await follower.observe()
        self._readiness.silence = follower.silence()
        lag = await follower.lag()
        if lag is None:
            return
        metrics.LAG_EVENTS.labels(self._name).set(lag)
        if lag == 0 and not self._readiness.caught_up:
            self._readiness.caught_up = True
            _log.info("caught_up", projection=self._name)

    async def _check_topic(self, name: str, identity: TopicIdentity) -> None:
        # A broker that takes a request and never answers it must not keep this from reading.
        try:
            async with asyncio.timeout(_TOPIC_TIMEOUT_S):
                found = await describe_topic(self._settings, name)
        except TimeoutError as error:
            message = f"Kafka did not answer about topic {name} in {_TOPIC_TIMEOUT_S:.0f} s"
            raise TopicUnavailableError(message) from error
        if found != identity:
            message = f"{name} was {identity}, and is {found}"
            raise TopicChangedError(message)
