"""A ledger on real PostgreSQL that is written by the real writer, damaged, and verified."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import asyncpg

from ledger.command_handling.submission import Settled
from ledger.event_log.postgres import PostgresEventLog
from projections.log import read_log
from projections.registry import PROJECTIONS
from projections.runner import Runner
from schemas.commands import Command
from services.runtime.settings import SecretText, Settings
from services.verify.main import verify
from services.verify.report import Invariant, Report
from tests.specs.known_customers import FixedRules
from tests.specs.world import TENANT, Writer, submission


class CountedReport(Report):
    """A report of which each line can be looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, Invariant] = {}

    def invariant(self, name: str) -> Invariant:
        """A new line."""
        self.lines[name] = super().invariant(name)
        return self.lines[name]


class VerifiedLedger:
    """Commands go in, read models follow, and `failures` says what does not hold."""

    def __init__(
        self, dsn: str, writer: Writer, connection: "asyncpg.Connection[asyncpg.Record]"
    ) -> None:
        self.settings = Settings(database_url=SecretText(dsn))
        self.writer = writer
        self.connection = connection
        self.projected = 0
        self.sent = 0

    async def open(self, command: Command, tenant_id: str = TENANT) -> str:
        """Open a wallet by this command; its id."""
        settled = await self.send(command, tenant_id=tenant_id)
        assert settled.result.wallet is not None, settled.result
        return settled.result.wallet.id

    async def change(self, command: Command) -> Settled:
        """Hand in a command, which must be accepted."""
        settled = await self.send(command)
        assert settled.result.status == "accepted", settled.result
        return settled

    async def decline(self, command: Command) -> None:
        """Hand in a command, which must be declined."""
        settled = await self.send(command)
        assert settled.result.status == "declined", settled.result

    async def send(
        self, command: Command, command_id: str | None = None, tenant_id: str = TENANT
    ) -> Settled:
        """Hand in a command under an id of its own, or a given one."""
        self.sent += 1
        named = command_id or f"command-{self.sent}"
        return await self.writer.send(command, command_id=named, tenant_id=tenant_id)

    async def together(self, commands: Sequence[Command], key: str) -> list[Settled]:
        """Hand commands in, to be applied all or none."""
        submissions = [
            submission(command, f"{key}/{number}") for number, command in enumerate(commands)
        ]
        return list(await asyncio.gather(*self.writer.processor.enqueue_together(submissions)))

    async def project(self) -> None:
        """Bring the read models up to the log."""
        head = (await self.writer.log.head()).last_position
        page = await read_log(self.connection, self.projected, head)
        for projection in PROJECTIONS.values():
            await Runner(projection, self.connection).apply(page.events, [])
        self.projected = head

    async def tamper(self, *statements: str) -> None:
        """What the database itself refuses to anyone who leaves its triggers alone."""
        async with self.connection.transaction():
            await self.connection.execute("SET LOCAL session_replication_role = replica")
            for statement in statements:
                result = await self.connection.execute(statement)
                assert not result.endswith(" 0"), "something is damaged"

    async def report(self) -> CountedReport:
        """What was looked at, and what came of it."""
        report = CountedReport()
        await verify(self.settings, report, kafka=False)
        return report

    async def failures(self) -> set[str]:
        """What does not hold."""
        return set((await self.report()).failures())


class Before(NamedTuple):
    """What happened to a ledger that is gone on with."""

    sent: int
    """How many commands."""
    projected: int
    """How far the read models are: a position."""


NOTHING = Before(sent=0, projected=0)


@asynccontextmanager
async def verified_ledger(dsn: str, before: Before = NOTHING) -> AsyncIterator[VerifiedLedger]:
    """An empty ledger, or one with a past; new ids are none that it had then."""
    log = PostgresEventLog(dsn)
    await log.start()
    writer = await Writer(log, seed=before.sent, rules=FixedRules()).start()
    connection = await asyncpg.connect(dsn)
    ledger = VerifiedLedger(dsn, writer, connection)
    ledger.sent, ledger.projected = before
    yield ledger
    await connection.close()
    await writer.stop()
    await log.close()


def past(
    happen: Callable[[VerifiedLedger], Awaitable[None]],
) -> Callable[[str], Coroutine[None, None, Before]]:
    """What fills a database with what happened, read models included."""

    async def fill(dsn: str) -> Before:
        async with verified_ledger(dsn) as ledger:
            await happen(ledger)
            await ledger.project()
            return Before(ledger.sent, ledger.projected)

    return fill
