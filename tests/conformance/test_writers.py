"""Writers that race, die, stop and lose their connection: the log stays whole."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, Literal, cast

import pytest
from prometheus_client import CollectorRegistry

from ledger.command_handling import processor
from ledger.command_handling.errors import (
    LedgerUnavailableError,
    OverloadedError,
    PoisonCommandError,
)
from ledger.command_handling.submission import Settled
from ledger.event_log.interface import Append, Appended, EventLog, LogUnavailableError, Turn
from ledger.event_log.memory import MemoryStore
from schemas.commands import CreditWallet
from services.runtime.processor_metrics import ProcessorMetrics
from tests.conformance.backends import Backend, Fate
from tests.specs.invariants import all_events, check, references_of
from tests.specs.memory_gateway import BreakingLog, until
from tests.specs.world import SteppingClock, Writer, submission


async def test_writers_that_race_never_overdraw_and_never_repeat(backend: Backend) -> None:
    writers = [await Writer(await backend.log(), seed).start() for seed in range(4)]
    wallets = [await writers[0].open_wallet(f"customer {n}") for n in range(3)]
    for number, wallet in enumerate(wallets):
        await writers[0].credit(wallet, 1_000, f"start {number}")
    dice = random.Random(7)  # noqa: S311 - the same race each time
    references = [f"ref {dice.randrange(250)}" for _ in range(400)]
    results = await asyncio.gather(
        *(
            dice.choice(writers).debit(
                wallets[int(reference[4:]) % 3], 1 + int(reference[4:]) % 30, reference
            )
            for reference in references
        )
    )
    events = await all_events(writers[0].log)
    folded = check(events)
    moved = references_of(events)
    assert len(moved) == len(set(moved)), "a reference moves money once"
    spent = sum(
        settled.result.transaction.amount
        for settled in results
        if settled.result.status == "accepted"
        and not settled.replayed
        and settled.result.transaction is not None
    )
    left = sum(known.wallet.balance for known in folded.values() if known.wallet is not None)
    assert left + spent == 3_000, "no unit appears or vanishes"
    for writer in writers:
        await writer.stop()


@pytest.mark.parametrize("rivals", [0, 1])
async def test_a_long_queue_is_settled_in_order_whoever_else_appends(
    backend: Backend, rivals: int
) -> None:
    """Full batches are decided ahead; a rival's append makes what was decided ahead void."""
    writer = await Writer(await backend.log()).start()
    others = [await Writer(await backend.log(), 1 + n).start() for n in range(rivals)]
    wallet, quiet = await writer.open_wallet(), await writer.open_wallet("another")
    await writer.credit(wallet, 2_500, "start")
    await writer.credit(quiet, 100, "start of the other")
    # Twice the same reference: within one batch, and in batches that follow each other.
    references = [f"ref {number if number % 100 else number // 1_000}" for number in range(3_000)]
    queue = [writer.debit(wallet, 1, reference) for reference in references]
    rivalry = [other.debit(quiet, 1, f"rival {n}") for other in others for n in range(50)]
    settled = (await asyncio.gather(*queue, *rivalry))[: len(queue)]
    events = await all_events(writer.log)
    folded = check(events)
    moved = references_of(events)
    assert len(moved) == len(set(moved)), "a reference moves money once"
    first_time = [each for each in settled if not each.replayed]
    statuses = [each.result.status for each in first_time]
    assert statuses == sorted(statuses), "accepted until the money is spent, then declined"
    assert statuses.count("accepted") == 2_500
    versions = [each.result.version or 0 for each in first_time]
    assert versions == sorted(versions), "in the order in which they were handed in"
    left = sum(known.wallet.balance for known in folded.values() if known.wallet is not None)
    assert left == 100 - 50 * rivals
    for each in (writer, *others):
        await each.stop()


async def test_a_writer_that_ends_settles_what_has_come_and_takes_nothing_more(
    backend: Backend,
) -> None:
    writer = await Writer(await backend.log()).start()
    wallet = await writer.open_wallet()
    late = submission(CreditWallet(wallet_id=wallet, amount=5, reference="late"))
    came = [asyncio.create_task(writer.credit(wallet, 1, f"{number}")) for number in range(3)]
    await asyncio.sleep(0)
    ending = asyncio.create_task(writer.stop())
    await asyncio.sleep(0)
    with pytest.raises(OverloadedError):
        writer.processor.enqueue(late)
    await ending
    assert [each.result.status for each in await asyncio.gather(*came)] == ["accepted"] * 3
    assert references_of(await all_events(writer.log)) == ["0", "1", "2"]


async def test_what_waits_behind_what_could_not_be_settled_is_refused_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Settled now, it would overtake the retry."""
    monkeypatch.setattr(processor, "GIVE_UP_AFTER_S", 0.05)
    log = BreakingLog(MemoryStore(SteppingClock()))
    writer = await Writer(log).start()
    wallet = await writer.open_wallet()
    log.is_away = writer.processor._contended = True
    into = [CreditWallet(wallet_id=wallet, amount=1, reference=f"{number}") for number in range(3)]
    first = writer.processor.enqueue(submission(into[0]))
    await until(lambda: writer.processor.waiting_commands == 0)
    behind = [writer.processor.enqueue(submission(each)) for each in into[1:]]
    for each in (first, *behind):
        with pytest.raises(LedgerUnavailableError):
            await asyncio.wait_for(each, timeout=5)
    log.is_away = False
    assert (await writer.send(into[0])).result.status == "accepted"
    assert references_of(await all_events(log)) == ["0"]
    await writer.stop()


async def test_a_writer_that_dies_in_its_turn_leaves_nothing_half_done(
    backend: Backend,
) -> None:
    dying, living = await backend.log(), await Writer(await backend.log()).start()
    wallet = await living.open_wallet()
    before = await all_events(living.log)

    async def die_after_appending() -> None:
        victim = Writer(cast("EventLog", _DiesInTurn(dying)), seed=9)
        await victim.start()
        await victim.credit(wallet, 5, "never")

    with pytest.raises(PoisonCommandError):
        await die_after_appending()
    assert await all_events(living.log) == before
    await living.credit(wallet, 7, "after")
    assert references_of(await all_events(living.log)) == ["after"]
    check(await all_events(living.log))
    await living.stop()


async def test_a_writer_that_stops_in_its_turn_does_not_stop_the_others(
    backend: Backend,
) -> None:
    stopped, living = await backend.log(), await Writer(await backend.log()).start()
    wallet = await living.open_wallet()
    async with asyncio.timeout(20):
        with pytest.raises(LogUnavailableError, match="turn"):
            await _wake_late(stopped, meanwhile=living.credit(wallet, 7, "meanwhile"))
    check(await all_events(living.log))
    await living.stop()


@pytest.mark.parametrize("path", ["fast", "turn"])
@pytest.mark.parametrize("fate", ["lost", "committed"])
async def test_an_unclear_commit_is_resolved_to_one_effect(
    backend: Backend, path: Literal["fast", "turn"], fate: Fate
) -> None:
    steady = await Writer(await backend.log()).start()
    wallet = await steady.open_wallet()
    metrics = ProcessorMetrics(CollectorRegistry())
    writer = Writer(await backend.breaking_log(path, fate), seed=3, observer=metrics)
    if path == "fast":
        # A writer that has caught up and found nobody else takes the fast path.
        writer.processor._head = await writer.log.head()
        writer.processor._contended = False
    await writer.start()
    settled = await writer.credit(wallet, 70, "once")
    assert settled.result.status == "accepted"
    assert settled.result.transaction is not None
    assert settled.result.transaction.balance_after == 70
    assert not settled.replayed, "it was this writer's own commit"
    after = await writer.credit(wallet, 1, "and on")
    assert after.result.transaction is not None
    assert after.result.transaction.balance_after == 71
    events = await all_events(steady.log)
    check(events)
    assert references_of(events) == ["once", "and on"]
    assert metrics.unclear_commits._value.get() == 1
    await writer.stop()
    await steady.stop()


async def test_a_command_that_the_log_refuses_stands_alone(backend: Backend) -> None:
    metrics = ProcessorMetrics(CollectorRegistry())
    writer = await Writer(await backend.log(), observer=metrics).start()
    wallet = await writer.open_wallet()
    # The gate would have refused it: NUL is what PostgreSQL's text cannot hold.
    poison = CreditWallet(wallet_id=wallet, amount=1, reference="a\x00b")
    good = [
        writer.processor.enqueue(
            submission(CreditWallet(wallet_id=wallet, amount=1, reference=f"good {n}"))
        )
        for n in range(10)
    ]
    bad = writer.processor.enqueue(submission(poison))
    good += [
        writer.processor.enqueue(
            submission(CreditWallet(wallet_id=wallet, amount=1, reference=f"more {n}"))
        )
        for n in range(10)
    ]
    results = await asyncio.gather(*good, bad, return_exceptions=True)
    assert isinstance(results[-1], PoisonCommandError)
    assert metrics.poison_commands._value.get() == 1
    assert all(not isinstance(result, BaseException) for result in results[:-1])
    events = await all_events(writer.log)
    assert len(references_of(events)) == 20
    check(events)
    await writer.stop()


async def _wake_late(log: EventLog, meanwhile: Awaitable[Settled]) -> None:
    async with log.exclusively() as turn:
        await turn.catch_up(None)
        settled = await meanwhile
        assert settled.result.status == "accepted"
        await turn.catch_up(None)


class _DiesInTurn:
    """A log whose writer dies between the append and its commit."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    @asynccontextmanager
    async def exclusively(self) -> AsyncIterator[Any]:
        async with self._log.exclusively() as turn:
            yield _DyingTurn(turn)


class _DyingTurn:
    def __init__(self, turn: Turn) -> None:
        self._turn = turn

    def __getattr__(self, name: str) -> Any:
        return getattr(self._turn, name)

    async def append(self, append: Append) -> Appended:
        await self._turn.append(append)
        raise ZeroDivisionError("the writer dies")
