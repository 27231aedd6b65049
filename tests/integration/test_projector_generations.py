"""Projectors when another generation of the topic takes over, or the log was taken back."""

import asyncio
import copy
import os
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from projections.checkpoint import LOG_CLOSED, LOG_PARTITION, Move, read_checkpoints
from projections.interface import LogDivergedError, ProjectedEvent
from projections.registry import PROJECTIONS
from projections.runner import Applied, Runner
from services.projector import rebuild
from services.repartition.main import run as run_repartition
from services.repartition.repartition import Repartition
from services.verify.main import verify
from services.verify.report import Report
from tests.specs.published_log import ROOT, PublishedLog, published_log, wait_until

MORE = 7


@pytest.fixture
async def log(database: str, kafka_server: str) -> AsyncIterator[PublishedLog]:
    async with published_log(database, kafka_server) as log:
        yield log


async def ledger(log: PublishedLog, *words: str) -> asyncio.subprocess.Process:
    """`ledger …` in a process of its own, with what it says in a pipe."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.command_line", *words),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ
        | {
            "LEDGER_DATABASE_URL": log.settings.require_database_url(),
            "LEDGER_KAFKA_BOOTSTRAP": log.settings.require_kafka_bootstrap(),
            "LEDGER_EVENTS_TOPIC": log.settings.events_topic,
        },
    )


async def repartition(log: PublishedLog, partitions: int) -> str:
    """Repartition; what that said."""
    process = await ledger(log, "repartition", "--partitions", str(partitions))
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


@asynccontextmanager
async def relaying(log: PublishedLog) -> AsyncIterator[None]:
    """A relay, until the test ends."""
    process = await ledger(log, "relay")
    try:
        yield
    finally:
        process.terminate()
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


async def gone_over(log: PublishedLog, name: str, task: "asyncio.Task[None]") -> None:
    """Come back when a projection is at the partitions of the new generation."""

    async def is_there() -> bool:
        assert not task.done(), task
        return (await read_checkpoints(log.connection, name)).keys() == {
            LOG_PARTITION,
            *range(MORE),
        }

    await wait_until(is_there)


async def more(log: PublishedLog, name: str, task: "asyncio.Task[None]") -> None:
    """Let more happen, and wait until it has come by the topic."""
    log.factory.history(5, 200)
    await log.write()
    await log.wait_until_folded(name, log.factory.position, task)


async def fold_all(log: PublishedLog, *names: str) -> None:
    """Let projectors fold what there is."""
    async with AsyncExitStack() as stack:
        for name in names:
            task = await stack.enter_async_context(log.projector(name))
            await log.wait_until_folded(name, log.factory.position, task)


@pytest.mark.parametrize("name", sorted(PROJECTIONS))
async def test_an_idle_projector_goes_over_and_reads_on(log: PublishedLog, name: str) -> None:
    async with relaying(log), log.projector(name) as task:
        await more(log, name, task)

        await repartition(log, MORE)

        await gone_over(log, name, task)
        await more(log, name, task)
    checkpoints = await read_checkpoints(log.connection, name)
    assert checkpoints[LOG_PARTITION].topic_id == LOG_CLOSED


async def test_projectors_that_were_down_meanwhile_lose_and_double_nothing(
    log: PublishedLog,
) -> None:
    names = sorted(PROJECTIONS)
    await log.happen(20, 500)
    await fold_all(log, *names)
    await log.happen(5, 500)
    await repartition(log, MORE)
    async with relaying(log):
        log.factory.history(5, 100)
        await log.write()
        await fold_all(log, *names)
        await fold_all(log, *names)
        report = Report()
        await verify(log.settings, report)
    assert report.failures() == {}


async def test_a_new_projection_begins_with_the_generation_that_there_is(log: PublishedLog) -> None:
    await log.happen(20, 500)
    await repartition(log, 1)
    await repartition(log, MORE)

    async with relaying(log), log.projector("balances") as task:
        await gone_over(log, "balances", task)
        await more(log, "balances", task)


async def test_a_read_model_of_another_log_stays_stopped_until_it_is_rebuilt(
    log: PublishedLog,
) -> None:
    await log.happen(5, 50)
    await fold_all(log, "balances", "transactions")
    await log.connection.execute(
        "UPDATE projection_checkpoints SET hash = sha256('x')"
        " WHERE projection = 'balances' AND partition >= 0"
    )
    before = await read_checkpoints(log.connection, "balances")

    said = await repartition(log, MORE)

    assert "balances has folded what the log does not have: ledger rebuild balances" in said
    assert "transactions has folded" not in said
    assert await read_checkpoints(log.connection, "balances") == before
    assert (await read_checkpoints(log.connection, "transactions")).keys() == {LOG_PARTITION}
    async with log.projector("balances") as task:
        with pytest.raises(LogDivergedError):
            async with asyncio.timeout(30):
                await asyncio.shield(task)
    rebuilt = await ledger(log, "rebuild", "balances")
    output, _ = await rebuilt.communicate()
    assert rebuilt.returncode == 0, output.decode()
    async with relaying(log), log.projector("balances") as task:
        await gone_over(log, "balances", task)
        await more(log, "balances", task)


async def test_a_log_that_was_taken_back_stops_projectors_before_they_fold_what_it_lacks(
    log: PublishedLog,
) -> None:
    """Checkpoints are restored with the log, so they fit it; the topic's end does not."""
    (wallet,) = await log.happen(1, 20)
    await fold_all(log, "balances")
    folded = log.factory.position
    as_restored = copy.deepcopy(log.factory)
    log.factory.decline_change(wallet)
    await log.publish(log.factory.take())
    log.factory = as_restored
    await log.connection.execute(
        "UPDATE relay_progress SET published_position = $1,"
        " published_hash = (SELECT hash FROM events WHERE position = $1)",
        folded,
    )

    async with log.projector("balances") as task:
        with pytest.raises(LogDivergedError, match=rf"does not have at {folded + 1}:"):
            async with asyncio.timeout(30):
                await asyncio.shield(task)

    assert await log.folded("balances") == folded
    await repartition(log, MORE)
    async with relaying(log), log.projector("balances") as task:
        await gone_over(log, "balances", task)
        await more(log, "balances", task)


@pytest.mark.parametrize("name", sorted(PROJECTIONS))
async def test_a_rebuild_waits_for_a_live_one_that_a_new_generation_sends_back_to_the_log(
    log: PublishedLog,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with relaying(log), log.projector(name) as task:
        log.factory.history(20, 5000)
        await log.write()
        await log.wait_until_folded(name, log.factory.position, task)
        batches = 0
        apply = Runner.apply

        async def go_back_meanwhile(
            runner: Runner, events: Iterable[ProjectedEvent], moves: Sequence[Move]
        ) -> Applied:
            nonlocal batches
            applied = await apply(runner, events, moves)
            if asyncio.current_task() is rebuilding:
                batches += 1
                if batches == 1:
                    await repartition(log, MORE)
            return applied

        monkeypatch.setattr(Runner, "apply", go_back_meanwhile)
        rebuilding = asyncio.create_task(rebuild.run(log.settings, name))

        assert await rebuilding == 0

        assert batches > 1, "it was in the middle"
        assert "the old one was equal to it" in capsys.readouterr().out
        await gone_over(log, name, task)
        assert await log.folded(name) == log.factory.position
        await more(log, name, task)
    report = Report()
    await verify(log.settings, report)
    assert report.failures() == {}


async def test_a_generation_that_nobody_fills_any_more_does_not_take_over(
    log: PublishedLog, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await log.happen(5, 50)
    await fold_all(log, "balances")
    before = await read_checkpoints(log.connection, "balances")

    async def given_up_meanwhile(*_: object) -> None:
        await log.connection.execute("DELETE FROM relay_progress WHERE is_filling")

    monkeypatch.setattr(Repartition, "_watch", given_up_meanwhile)

    assert await run_repartition(log.settings, MORE) == 1

    assert "is not recorded as being filled any more" in capsys.readouterr().out
    assert await read_checkpoints(log.connection, "balances") == before
