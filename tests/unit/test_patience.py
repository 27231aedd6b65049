"""A log that neither answers nor fails: its clients are answered, and it goes on."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from ledger.command_handling import patience
from ledger.command_handling.errors import LedgerUnavailableError, OutcomeUnknownError
from ledger.event_log.interface import Append, Appended
from ledger.event_log.memory import MemoryEventLog, MemoryStore
from schemas.commands import MAX_BATCH_COMMANDS, CreditWallet
from services.gateway.main import Readiness
from services.runtime.environment import SystemEnvironment
from tests.specs.world import Writer, submission

BEHIND = 600
"""Enough to be decided while the append before them is under way."""


class SilentLog(MemoryEventLog):
    """Takes an append, and says nothing until it may."""

    def __init__(self) -> None:
        super().__init__(MemoryStore(lambda: datetime.now(UTC)))
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.is_asked = asyncio.Event()

    async def append(self, append: Append) -> Appended:
        """See `EventLog`."""
        self.is_asked.set()
        await self.may_answer.wait()
        return await super().append(append)


@pytest.fixture
async def log(monkeypatch: pytest.MonkeyPatch) -> SilentLog:
    monkeypatch.setattr(patience, "MAX_SETTLING_S", 0.1)
    return SilentLog()


@pytest.fixture
async def writer(log: SilentLog) -> AsyncIterator[Writer]:
    writer = await Writer(log).start()
    yield writer
    log.may_answer.set()
    await writer.stop()


async def a_wallet(writer: Writer, log: SilentLog) -> str:
    """An empty one; the writer's next append needs no turn."""
    wallet = await writer.open_wallet()
    await writer.credit(wallet, 1, "in")
    await writer.debit(wallet, 1, "out")
    assert log.is_asked.is_set()
    log.is_asked.clear()
    return wallet


async def answers_again(writer: Writer, log: SilentLog) -> None:
    log.may_answer.set()
    async with asyncio.timeout(5):
        while writer.processor.patience.settling_s:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)


async def test_a_log_that_does_not_answer_is_not_waited_for(log: SilentLog, writer: Writer) -> None:
    """Repeated when it answers again, each command has its one effect."""
    wallet = await a_wallet(writer, log)
    log.may_answer.clear()
    first = asyncio.create_task(writer.credit(wallet, 1, "first"))
    await log.is_asked.wait()
    with pytest.raises(LedgerUnavailableError):
        await writer.credit(wallet, 10, "behind")
    with pytest.raises(OutcomeUnknownError):
        await first
    with pytest.raises(LedgerUnavailableError):
        await writer.credit(wallet, 100, "later")
    with pytest.raises(OutcomeUnknownError):
        await writer.credit(wallet, 1, "first")
    assert writer.processor.patience.settling_s >= 0.1

    await answers_again(writer, log)

    again = [await writer.credit(wallet, 1, "first"), await writer.credit(wallet, 10, "behind")]
    assert [each.replayed for each in again] == [True, False]
    assert again[1].result.transaction is not None
    assert again[1].result.transaction.balance_after == 11


async def test_what_was_decided_ahead_of_a_silent_log_did_not_happen(
    log: SilentLog, writer: Writer
) -> None:
    wallet = await a_wallet(writer, log)
    before = len(log.store.events)
    log.may_answer.clear()
    waiting = [
        writer.processor.enqueue(
            submission(CreditWallet(wallet_id=wallet, amount=1, reference=f"{number}"))
        )
        for number in range(MAX_BATCH_COMMANDS + BEHIND)
    ]
    async with asyncio.timeout(10):
        told = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in told] == [
        *[OutcomeUnknownError] * MAX_BATCH_COMMANDS,
        *[LedgerUnavailableError] * BEHIND,
    ]

    await answers_again(writer, log)

    assert len(log.store.events) - before == MAX_BATCH_COMMANDS
    last = await writer.credit(wallet, 1, f"{MAX_BATCH_COMMANDS}")
    assert not last.replayed


async def test_a_gateway_says_that_the_log_does_not_answer(log: SilentLog, writer: Writer) -> None:
    class Answering:
        async def problems(self) -> list[str]:
            """None."""
            return []

    database: Any = Answering()
    readiness = Readiness(database, SystemEnvironment(), writer.processor.patience)
    await readiness.probe()
    wallet = await a_wallet(writer, log)
    assert readiness.reasons() == []
    log.may_answer.clear()
    with pytest.raises(OutcomeUnknownError):
        await writer.credit(wallet, 1, "first")
    assert readiness.reasons() == ["the log does not answer"]

    await answers_again(writer, log)

    assert readiness.reasons() == []
