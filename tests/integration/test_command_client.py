"""The client of commands over Kafka, when a partition has no leader or reading results ends."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import ProducerClosed

from schemas.commands import CreditWallet
from services.client import CommandClient, NotPublishedError, ResultsUnreadableError, publisher
from services.client.publisher import CommandPublisher
from tests.specs.world import TENANT

TOPICS = ("ledger.commands", "ledger.command-results", "ledger.commands.rejected")
CREDIT = CreditWallet(wallet_id="wal_" + "0a" * 16, amount=1, reference="r")


@pytest.fixture
async def kafka(kafka_server: str) -> AsyncIterator[str]:
    """A broker with the topics of commands, which nobody reads."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_server)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 3, 1) for topic in TOPICS])
        yield kafka_server
    finally:
        await admin.delete_topics(list(TOPICS))
        await admin.close()


@pytest.fixture
async def client(kafka: str) -> AsyncIterator[CommandClient]:
    async with CommandClient(kafka, TENANT, "/tests") as client:
        yield client


def producer_of(client: CommandClient) -> Any:
    """What the client publishes with just now."""
    return client._publisher._producer


@contextmanager
def no_partition_has_a_leader(client: CommandClient) -> Iterator[None]:
    """For longer than a batch waits for one, which takes 40 s otherwise."""
    accumulator = producer_of(client)._message_accumulator
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accumulator, "_batch_ttl", 0.2)
        patch.setattr(accumulator._cluster, "leader_for_partition", lambda _: -1)
        yield


async def test_after_a_partition_had_no_leader_the_client_goes_on(client: CommandClient) -> None:
    await client.publish(CREDIT, command_id="before")
    with no_partition_has_a_leader(client), pytest.raises(NotPublishedError):
        await client.publish(CREDIT, command_id="lost")
    async with asyncio.timeout(20):
        assert await client.publish(CREDIT, command_id="lost") == "lost"
        assert await client.publish(CREDIT, command_id="after") == "after"


async def test_a_command_that_nobody_waits_for_any_more_spoils_no_other(
    client: CommandClient,
) -> None:
    """Its batch fails when its caller is gone; whoever comes then has a new producer."""
    await client.publish(CREDIT, command_id="before")
    spoilt = producer_of(client)
    with no_partition_has_a_leader(client):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.publish(CREDIT, command_id="lost")
        async with asyncio.timeout(20):
            while producer_of(client) is spoilt:  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.02)
    async with asyncio.timeout(20):
        assert await client.publish(CREDIT, command_id="lost") == "lost"


async def test_commands_after_a_failure_share_one_new_producer(
    client: CommandClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.publish(CREDIT, command_id="before")
    started: list[Any] = []
    start = AIOKafkaProducer.start

    async def counted(producer: Any) -> None:
        started.append(producer)
        await start(producer)

    monkeypatch.setattr(AIOKafkaProducer, "start", counted)
    with no_partition_has_a_leader(client):
        lost = await asyncio.gather(
            *(client.publish(CREDIT, command_id=f"lost-{n}") for n in range(5)),
            return_exceptions=True,
        )
    assert [type(each) for each in lost] == [NotPublishedError] * 5
    names = [f"repeated-{n}" for n in range(20)]
    async with asyncio.timeout(20):
        assert names == await asyncio.gather(
            *(client.publish(CREDIT, command_id=name) for name in names)
        )
    assert started == [producer_of(client)]


async def test_what_kafka_never_answers_leaves_nothing_open(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits is told, and the connection is closed, however long the request would wait."""
    monkeypatch.setattr(publisher, "_STOP_LIMIT_S", 0.1)
    monkeypatch.setattr(publisher, "_CLOSE_LIMIT_S", 0.2)
    before = asyncio.all_tasks()
    commands = CommandPublisher(
        lambda: AIOKafkaProducer(bootstrap_servers=kafka, enable_idempotence=True, acks="all")
    )
    await commands.publish(TOPICS[0], b"first", b"key", [])
    producer: Any = commands._producer
    connections = list(producer.client._conns.values())
    # Answers come, and go nowhere.
    monkeypatch.setattr(AIOKafkaConnection, "_handle_frame", lambda *_: None)
    lost = asyncio.create_task(commands.publish(TOPICS[0], b"lost", b"key", []))
    async with asyncio.timeout(20):
        while not producer._sender._in_flight:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
        await commands.stop()
        with pytest.raises(ProducerClosed):
            await lost
    assert [each.connected() for each in connections] == [False] * len(connections)
    async with asyncio.timeout(20):
        while asyncio.all_tasks() - before:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)


async def test_when_reading_results_has_ended_whoever_waits_is_told_at_once(
    client: CommandClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = asyncio.create_task(client.execute(CREDIT, command_id="waits"))
    async with asyncio.timeout(20):
        while "waits" not in client._waiting:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)
        why = RuntimeError("what aiokafka does not expect")

        async def broken(*_: object, **__: object) -> None:
            raise why

        monkeypatch.setattr(AIOKafkaConsumer, "getmany", broken)
        with pytest.raises(ResultsUnreadableError, match="make a new one") as told:
            await waiting
        assert told.value.__cause__ is why
        with pytest.raises(ResultsUnreadableError) as told:
            await client.execute(CREDIT, command_id="comes later")
    assert (told.value.command_id, told.value.__cause__) == ("comes later", why)


async def test_a_consumer_that_will_never_read_again_is_noticed(client: CommandClient) -> None:
    client._consumer._client._sync_task.cancel()
    async with asyncio.timeout(20):
        with pytest.raises(ResultsUnreadableError):
            await client.execute(CREDIT, command_id="waits", timeout_s=15)
