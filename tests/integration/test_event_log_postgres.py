"""What only the log in PostgreSQL can show: refused changes, killed processes."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from ledger.event_log.postgres import PostgresEventLog
from tests.conformance import test_writers
from tests.conformance.backends import PostgresBackend
from tests.specs.invariants import all_events, check
from tests.specs.world import Writer

ROOT = Path(__file__).parents[2]
LOG_TABLES = [
    "appends",
    "events",
    "command_outcomes",
    "consumed_references",
    "wallets",
    "wallet_closures",
]


@asynccontextmanager
async def writer_on(dsn: str, seed: int = 0) -> AsyncIterator[Writer]:
    log = PostgresEventLog(dsn)
    writer = await Writer(log, seed).start()
    try:
        yield writer
    finally:
        await writer.stop()
        await log.close()


@pytest.mark.parametrize("table", LOG_TABLES)
async def test_the_database_refuses_to_change_the_log(database: str, table: str) -> None:
    async with writer_on(database) as writer:
        wallet = await writer.open_wallet()
        await writer.credit(wallet, 5, "salary")
    connection = await asyncpg.connect(database)
    column = "number" if table == "appends" else "position"
    for statement in (
        f"UPDATE {table} SET {column} = {column}",  # noqa: S608 - names of the test's own
        f"DELETE FROM {table}",  # noqa: S608 - the same
        f"TRUNCATE {table}",
    ):
        with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
            await connection.execute(statement)
    await connection.close()


# A process of its own that debits without a pause and prints every acknowledged reference.
DEBITING_PROCESS = """
import asyncio, sys
from ledger.event_log.postgres import PostgresEventLog
from schemas.commands import DebitWallet
from tests.specs.world import Writer

async def main():
    dsn, wallet, name = sys.argv[1:]
    writer = await Writer(PostgresEventLog(dsn), seed=hash(name) % 1000).start()
    async def client(number):
        for turn in range(1_000_000):
            reference = f"{name} {number} {turn}"
            settled = await writer.debit(wallet, 1, reference)
            if settled.result.status == "accepted":
                print(reference, flush=True)
    await asyncio.gather(*(client(number) for number in range(16)))

asyncio.run(main())
"""


async def test_writers_killed_in_the_middle_of_work_lose_nothing_acknowledged(
    database: str,
) -> None:
    async with writer_on(database) as writer:
        wallet = await writer.open_wallet()
        await writer.credit(wallet, 1_000_000, "start")
        acknowledged: set[str] = set()
        for victim in range(4):
            first = await _debiting_process(database, wallet, f"victim {victim}a")
            second = await _debiting_process(database, wallet, f"victim {victim}b")
            # They are at work, however long it took them to start.
            acknowledged |= {await _line_of(first), await _line_of(second)}
            await asyncio.sleep(0.5 + 0.13 * victim)
            os.kill(first.pid, signal.SIGKILL)
            os.kill(second.pid, signal.SIGKILL)
            for process in (first, second):
                output, _ = await process.communicate()
                # The last line may be cut off by the kill: then it was not acknowledged.
                acknowledged |= set(output.decode().split("\n")[:-1])
        events = await all_events(writer.log)
        check(events)
        debited = [event for event in events if event.type == "wallet.debited"]
        references = {reference for event in debited if (reference := _reference(event.data))}
        assert len(references) == len(debited), "each reference moved money once"
        assert len(acknowledged) > 100
        assert acknowledged <= references, "no acknowledged command is lost"
        settled = await writer.debit(wallet, 1, "afterwards")
        assert settled.result.status == "accepted"


async def test_a_database_with_other_defaults_takes_the_same_commands(database: str) -> None:
    """What an operator may have set for other uses of a role or a database."""
    connection = await asyncpg.connect(database)
    name = await connection.fetchval("SELECT quote_ident(current_database())")
    for default in (
        "default_transaction_isolation = 'serializable'",
        "timezone = 'Asia/Kathmandu'",
        "datestyle = 'SQL, DMY'",
        "bytea_output = 'escape'",
        "work_mem = '64kB'",
    ):
        await connection.execute(f"ALTER DATABASE {name} SET {default}")
    await connection.close()
    async with AsyncExitStack() as stack:
        backend = PostgresBackend(database, stack)
        await test_writers.test_writers_that_race_never_overdraw_and_never_repeat(backend)


async def _debiting_process(dsn: str, wallet: str, name: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        DEBITING_PROCESS,
        dsn,
        wallet,
        name,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )


async def _line_of(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().removesuffix("\n")


def _reference(data: str) -> str:
    return data.split('"reference":"', 1)[1].split('"', 1)[0]
