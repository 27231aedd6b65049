"""Kafka topics: those that this system needs, and how they are made."""

import asyncio

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, for_code
from msgspec import Struct

from services.runtime.kafka import client_options, close_client, why_unreachable
from services.runtime.settings import Settings

_TOPIC_ALREADY_EXISTS = 36
_REPLICAS = 3
_TRIES = 40
_TRY_AGAIN_SECONDS = 0.5


class TopicUnavailableError(Exception):
    """Kafka did not make, or does not know, a topic."""


class Topic(Struct, frozen=True, kw_only=True):
    """A topic that is to exist. It is kept on three brokers, or on all if there are fewer."""

    name: str
    partitions: int
    config: dict[str, str] = {}


def ledger_topics(settings: Settings) -> list[Topic]:
    """The topics of this system, with the first generation of the events topic."""
    return [
        events_topic_of(settings.events_topic, settings.topic_partitions),
        Topic(name=settings.commands_topic, partitions=settings.topic_partitions),
        Topic(name=settings.results_topic, partitions=settings.topic_partitions),
        Topic(name=settings.rejected_topic, partitions=1),
    ]


def generation_topic(events_topic: str, generation: int) -> str:
    """The name of a later generation of the events topic: `ledger.events.2`."""
    return f"{events_topic}.{generation}"


def is_generation_of(topic: str, events_topic: str) -> bool:
    """Whether it is the events topic of the settings, or a later generation of it."""
    number = topic.removeprefix(f"{events_topic}.")
    return topic == events_topic or (number != topic and number.isdecimal())


def events_topic_of(name: str, partitions: int) -> Topic:
    """A generation of the events topic. It is kept for ever: read models are made of it."""
    return Topic(
        name=name,
        partitions=partitions,
        config={"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"},
    )


async def existing_topics(settings: Settings) -> set[str]:
    """The names of all topics. Raises `TopicUnavailableError` if Kafka cannot be asked."""
    admin = AIOKafkaAdminClient(**client_options(settings, "ledger-topics"))
    try:
        await admin.start()
        return set(await admin.list_topics())
    except (KafkaError, OSError) as error:
        raise TopicUnavailableError(f"Kafka could not be asked for topics: {error!r}") from error
    finally:
        await close_client(admin.close())


async def ensure_topics(settings: Settings, topics: list[Topic]) -> None:
    """Make the topics that are missing; those that exist stay as they are.

    A broker that has only just started is given time. Raises `TopicUnavailableError`.
    """
    failure: Exception | None = None
    for _ in range(_TRIES):
        try:
            failure = await _create(settings, topics)
        except (KafkaError, OSError) as error:
            failure = error
        if failure is None:
            return
        await asyncio.sleep(_TRY_AGAIN_SECONDS)
    names = ", ".join(topic.name for topic in topics)
    reason = await why_unreachable(settings) or repr(failure)
    message = f"the topics {names} could not be made: {reason}"
    raise TopicUnavailableError(message) from failure


async def _create(settings: Settings, topics: list[Topic]) -> KafkaError | None:
    admin = AIOKafkaAdminClient(**client_options(settings, "ledger-topics"))
    try:
        await admin.start()
        existing = set(await admin.list_topics())
        missing = [topic for topic in topics if topic.name not in existing]
        if not missing:
            return None
        brokers = (await admin.describe_cluster())["brokers"]
        replicas = min(_REPLICAS, len(brokers))
        response = await admin.create_topics([_new_topic(topic, replicas) for topic in missing])
    finally:
        await close_client(admin.close())
    for name, code, *details in response.topic_errors:
        if code not in (0, _TOPIC_ALREADY_EXISTS):
            return KafkaError(f"{name}: {for_code(code).__name__} {details}")
    return None


def _new_topic(topic: Topic, replicas: int) -> NewTopic:
    return NewTopic(
        name=topic.name,
        num_partitions=topic.partitions,
        replication_factor=replicas,
        topic_configs=topic.config,
    )
