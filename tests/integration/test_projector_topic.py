"""Projectors on a real topic: from nothing, again and again, killed, two at once."""

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping, Sequence

import asyncpg
import pytest
from aiokafka.admin import RecordsToDelete
from aiokafka.structs import TopicPartition
from msgspec.structs import replace

from projections.checkpoint import (
    LOG_CLOSED,
    LOG_PARTITION,
    TopicChangedError,
    read_checkpoints,
    reopen_log,
)
from projections.interface import LogDivergedError, ProjectionGapError, UnreadableEventError
from projections.registry import PROJECTIONS
from schemas.events import RecordedEvent
from services.projector import beginning, projector
from services.projector.events_topic import earliest_offsets
from services.runtime.kafka import partition_for
from services.runtime.settings import Settings
from services.verify.main import verify
from services.verify.report import Report
from tests.specs.published_log import PARTITIONS, PublishedLog, published_log, wait_until


@pytest.fixture
async def log(database: str, kafka_server: str) -> AsyncIterator[PublishedLog]:
    async with published_log(database, kafka_server) as log:
        yield log


async def _verify(log: PublishedLog) -> None:
    report = Report()
    await verify(log.settings, report)
    assert report.failures() == {}


@pytest.mark.parametrize("name", sorted(PROJECTIONS))
async def test_the_first_start_ever_begins_with_nothing(log: PublishedLog, name: str) -> None:
    async with log.projector(name) as task:

        async def begun() -> bool:
            if task.done():
                await task
            return len(await read_checkpoints(log.connection, name)) == PARTITIONS + 1

        await wait_until(begun)
        checkpoints = await read_checkpoints(log.connection, name)
        assert all(checkpoints[each].next_offset == 0 for each in range(PARTITIONS))
        await log.happen(10, 200)
        await log.wait_until_folded(name, log.factory.position, task)


async def test_what_was_recorded_before_is_folded_from_the_log_and_not_twice(
    log: PublishedLog,
) -> None:
    await log.happen(10, 200)
    async with log.projector("balances") as task, log.projector("transactions") as other:
        await log.wait_until_folded("balances", log.factory.position, task)
        await log.wait_until_folded("transactions", log.factory.position, other)
        await log.happen(5, 100)
        await log.wait_until_folded("balances", log.factory.position, task)
        await log.wait_until_folded("transactions", log.factory.position, other)
    checkpoint = (await read_checkpoints(log.connection, "balances"))[LOG_PARTITION]
    assert checkpoint.topic_id == LOG_CLOSED
    await _verify(log)


async def test_a_restart_goes_on_where_the_checkpoint_stands(log: PublishedLog) -> None:
    async with log.projector("balances") as task:
        await log.happen(10, 100)
        await log.wait_until_folded("balances", log.factory.position, task)
    await log.happen(3, 100)
    async with log.projector("balances") as task:
        await log.wait_until_folded("balances", log.factory.position, task)


async def test_what_is_published_twice_takes_effect_once(log: PublishedLog) -> None:
    log.factory.history(5, 100)
    events = await log.write()
    async with log.projector("transactions") as task:
        await log.publish(events[:60])
        await log.publish(events[40:])
        await log.publish(events)
        await log.wait_until_folded("transactions", len(events), task)


async def test_a_message_that_got_lost_is_fetched_from_the_log(log: PublishedLog) -> None:
    async with log.projector("balances") as task:
        wallets = await log.happen(5, 50)
        await log.wait_until_folded("balances", log.factory.position, task)
        lost = [log.factory.decline_change(wallet) for wallet in wallets]
        brought = [log.factory.decline_change(wallet) for wallet in wallets]
        await log.write()
        assert lost[0].version < brought[0].version
        await log.publish(brought)
        await log.wait_until_folded("balances", log.factory.position, task)


async def test_a_message_that_is_in_no_log_stops_the_projector(log: PublishedLog) -> None:
    async with log.projector("balances") as task:
        (wallet,) = await log.happen(1, 5)
        await log.wait_until_folded("balances", log.factory.position, task)
        event = log.factory.decline_change(wallet)
        await log.publish([replace(event, version=event.version + 1)])
        # The second, where it has just come back to the topic and looks at its end first.
        with pytest.raises((ProjectionGapError, LogDivergedError)):
            async with asyncio.timeout(20):
                await asyncio.shield(task)


async def test_a_message_that_is_no_event_stops_the_projector(log: PublishedLog) -> None:
    async with log.projector("balances") as task:
        (wallet,) = await log.happen(1, 5)
        await log.wait_until_folded("balances", log.factory.position, task)
        log.factory.decline_change(wallet)
        (event,) = await log.write()
        await log.publish([replace(event, type="wallet.of_a_newer_release")])
        with pytest.raises(UnreadableEventError):
            async with asyncio.timeout(20):
                await asyncio.shield(task)


async def test_a_topic_that_lost_its_beginning_is_made_up_for_by_the_log(
    log: PublishedLog,
) -> None:
    await log.happen(10, 200)
    await _forget_messages(log)
    await log.happen(2, 50)
    async with log.projector("transactions") as task:
        await log.wait_until_folded("transactions", log.factory.position, task)


async def test_a_checkpoint_behind_the_topics_beginning_reads_the_log_again(
    log: PublishedLog,
) -> None:
    async with log.projector("balances") as task:
        await log.happen(10, 50)
        await log.wait_until_folded("balances", log.factory.position, task)
    await log.happen(5, 100)
    await _forget_messages(log)
    async with log.projector("balances") as task:
        await log.wait_until_folded("balances", log.factory.position, task)
        await log.happen(1, 20)
        await log.wait_until_folded("balances", log.factory.position, task)


async def test_a_projection_begins_where_retention_emptied_a_partition_and_others_are_busy(
    log: PublishedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    (wallet, *_) = await log.happen(6, 50)
    busy = partition_for(wallet.encode(), PARTITIONS)
    await _forget_messages(log, (busy + 1) % PARTITIONS)

    async def busy_meanwhile(
        settings: Settings, partitions: Sequence[int]
    ) -> tuple[Mapping[int, int], int | None]:
        found = await earliest_offsets(settings, partitions)
        log.factory.decline_change(wallet)
        await log.publish(await log.write())
        return found

    monkeypatch.setattr(beginning, "earliest_offsets", busy_meanwhile)

    # While the projection begins, what happens in between has the log's own connection.
    looking = await asyncpg.connect(log.settings.require_database_url())
    async with log.projector("balances") as task:

        async def begun() -> bool:
            assert not task.done(), task
            return len(await read_checkpoints(looking, "balances")) == PARTITIONS + 1

        await wait_until(begun)
        await looking.close()
        await log.happen(3, 50)
        await log.wait_until_folded("balances", log.factory.position, task)
    await _verify(log)


async def test_going_back_to_the_log_does_not_begin_at_the_quietest_partition(
    log: PublishedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projector, "_TOPIC_INTERVAL_S", 0.1)
    async with log.projector("balances") as task:
        await log.happen(5, 50)
        await log.wait_until_folded("balances", log.factory.position, task)

        async def all_are_there() -> bool:
            assert not task.done(), task
            checkpoints = await read_checkpoints(log.connection, "balances")
            positions = [checkpoints[each].position for each in checkpoints if each >= 0]
            return positions == [log.factory.position] * PARTITIONS

        await wait_until(all_are_there)
        # All of it in one partition: the others have nothing to move them.
        (wallet,) = await log.happen(1, 5)
        for _ in range(20):
            log.factory.decline_change(wallet)
        await log.publish(await log.write())
        await log.wait_until_folded("balances", log.factory.position, task)
        await wait_until(all_are_there)

    await reopen_log(log.connection, "balances")

    checkpoints = await read_checkpoints(log.connection, "balances")
    assert checkpoints[LOG_PARTITION].position == log.factory.position
    async with log.projector("balances") as task:
        await log.happen(5, 50)
        await log.wait_until_folded("balances", log.factory.position, task)
    await _verify(log)


async def _forget_messages(log: PublishedLog, *partitions: int) -> None:
    """What retention does, at once; of all partitions, unless some are named."""
    async with log.admin() as admin:
        await admin.delete_records(
            {
                TopicPartition(log.settings.events_topic, each): RecordsToDelete(before_offset=-1)
                for each in partitions or range(PARTITIONS)
            }
        )


async def test_another_topic_of_the_same_name_is_refused(log: PublishedLog) -> None:
    async with log.projector("balances") as task:
        await log.happen(2, 10)
        await log.wait_until_folded("balances", log.factory.position, task)
    async with log.admin() as admin:
        await admin.delete_topics([log.settings.events_topic])
        await asyncio.sleep(1)
    await log.make_topic()
    async with log.projector("balances") as task:
        with pytest.raises(TopicChangedError):
            async with asyncio.timeout(30):
                await asyncio.shield(task)


async def test_two_processes_share_the_partitions_and_hand_them_over(log: PublishedLog) -> None:
    async with log.projector("transactions") as first:
        await log.happen(10, 100)
        await log.wait_until_folded("transactions", log.factory.position, first)
        async with log.projector("transactions") as second:
            for _ in range(10):
                await log.happen(2, 100)
                await asyncio.sleep(0.3)
            await log.wait_until_folded("transactions", log.factory.position, second)
        await log.happen(2, 100)
        await log.wait_until_folded("transactions", log.factory.position, first)


@pytest.mark.parametrize(
    "name",
    [
        name if name == "balances" else pytest.param(name, marks=pytest.mark.slow)
        for name in sorted(PROJECTIONS)
    ],
)
async def test_kill_9_in_the_middle_doubles_nothing_and_loses_nothing(
    log: PublishedLog, name: str
) -> None:
    log.factory.history(50, 20_000)
    events = await log.write()
    publishing = asyncio.create_task(_publish_slowly(log, events[:-500]))
    for share in (0.2, 0.5, 0.8):

        async def so_far(share: float = share) -> bool:
            return await log.folded(name) > share * len(events)

        async with log.projector_process(name) as process:
            await wait_until(so_far)
            process.send_signal(signal.SIGKILL)
            await process.wait()
    await publishing
    async with log.projector_process(name):
        # Kept back, so that this one has work to do, however far the killed ones got.
        await log.publish(events[-500:])
        await log.wait_until_folded(name, len(events))
    await _verify(log)


async def _publish_slowly(log: PublishedLog, events: Sequence[RecordedEvent]) -> None:
    for start in range(0, len(events), 500):
        await log.publish(events[start : start + 500])
        await asyncio.sleep(0.02)


async def test_a_database_that_cuts_the_connection_is_only_a_pause(log: PublishedLog) -> None:
    async with log.projector("balances") as task:
        await log.happen(5, 50)
        await log.wait_until_folded("balances", log.factory.position, task)
        await log.connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'ledger-projector-balances' "
            "AND datname = current_database()"
        )
        await log.happen(5, 50)
        await log.wait_until_folded("balances", log.factory.position, task)
