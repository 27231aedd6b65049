"""A seeded environment and short ways to submit commands, for tests of the write side."""

import asyncio
import random
import time
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from ledger.command_handling.observer import NO_OBSERVER, ProcessorObserver
from ledger.command_handling.processor import CommandProcessor
from ledger.command_handling.rules import NO_RULES, Rules
from ledger.command_handling.snapshot_keeper import SNAPSHOT_PAUSE_S
from ledger.command_handling.submission import Settled, Submission
from ledger.event_log.interface import EventLog
from schemas.commands import Command, CreateWallet, CreditWallet, DebitWallet

TENANT = "7d3f0000-0000-4000-8000-000000000001"
OTHER_TENANT = "7d3f0000-0000-4000-8000-000000000002"

ResultT = TypeVar("ResultT")


class SeededEnvironment:
    """Real time, but identifiers that a seed decides."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a test repeats itself on purpose

    def monotonic(self) -> float:
        """Seconds."""
        return time.monotonic()

    def random_bytes(self, count: int) -> bytes:
        """The seed's next bytes."""
        return self._random.randbytes(count)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    def spawn(self, coroutine: Coroutine[Any, Any, ResultT]) -> asyncio.Task[ResultT]:
        """Start a task."""
        return asyncio.create_task(coroutine)


class SteppingClock:
    """A clock that moves a millisecond at each look, and by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """What time it is."""
        self.now += timedelta(milliseconds=1)
        return self.now


class Writer:
    """A processor over one log, with shorthand for commands."""

    def __init__(
        self,
        log: EventLog,
        seed: int = 0,
        rules: Rules = NO_RULES,
        observer: ProcessorObserver = NO_OBSERVER,
    ) -> None:
        self.log = log
        self.processor = CommandProcessor(
            log, SeededEnvironment(seed), observer=observer, rules=rules
        )

    async def start(self) -> "Writer":
        """Begin to work."""
        await self.processor.start()
        return self

    async def stop(self) -> None:
        """Settle what is waiting, and end."""
        await self.processor.stop()

    async def send(
        self, command: Command, *, command_id: str | None = None, tenant_id: str = TENANT
    ) -> Settled:
        """Submit a command and await what it came to."""
        return await self.processor.submit(submission(command, command_id, tenant_id))

    async def open_wallet(self, customer_id: str = "customer", currency: str = "GHS") -> str:
        """Open a wallet and name it."""
        settled = await self.send(CreateWallet(customer_id=customer_id, currency=currency))
        assert settled.result.wallet is not None
        return settled.result.wallet.id

    async def credit(self, wallet_id: str, amount: int, reference: str) -> Settled:
        """Credit a wallet."""
        return await self.send(
            CreditWallet(wallet_id=wallet_id, amount=amount, reference=reference)
        )

    async def debit(
        self, wallet_id: str, amount: int, reference: str, command_id: str | None = None
    ) -> Settled:
        """Debit a wallet."""
        command = DebitWallet(wallet_id=wallet_id, amount=amount, reference=reference)
        return await self.send(command, command_id=command_id)


def submission(
    command: Command, command_id: str | None = None, tenant_id: str = TENANT
) -> Submission:
    """A command as a test hands it in."""
    return Submission(
        tenant_id=tenant_id,
        command=command,
        command_id=command_id,
        who="test",
        correlation_id=None,
    )


async def snapshots_are_saved() -> None:
    """Wait until what was due when this was called is in the log."""
    await asyncio.sleep(SNAPSHOT_PAUSE_S + 0.5)
