"""Random clients, random faults, and then a judge of every answer that was given.

Each run prints its seed; STORM_SEED chooses it, STORM_SECONDS says for how long clients work.
The scripts of clients and faults follow from the seed; how they meet, does not.
"""

import asyncio
import os
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from signal import SIGTERM
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from services.client import CommandClient
from services.supervisor.ports import RememberedPorts
from tests.specs import storm_aftermath, storm_judge
from tests.specs.cutting_proxy import CuttingProxy
from tests.specs.running_stack import RunningStack, eventually
from tests.specs.storm_clients import SOON_S, Client
from tests.specs.storm_doors import Doors, session_of_a_client
from tests.specs.storm_journal import Journal
from tests.specs.storm_log import Index, rows_of
from tests.specs.storm_nemesis import Nemesis, SecondGateway
from tests.specs.storm_payers import provider_of

CLIENTS = 12
WALLETS = 8
SAID = 60
LONG = 1500
"""How many of what is wrong are shown, and how many characters of each."""

DUE = """
SELECT wallet_id FROM balances WHERE expiring_next_at <= now()
UNION ALL SELECT wallet_id FROM holds WHERE status = 'open' AND expires_at <= now()
UNION ALL SELECT wallet_id FROM topups WHERE status = 'pending' AND expires_at <= now()
"""


class Storm(NamedTuple):
    """All that a run consists of."""

    stack: RunningStack
    doors: Doors
    journal: Journal
    nemesis: Nemesis
    second: SecondGateway
    seed: str


@pytest.fixture
def own(tmp_path: Path) -> Iterator[RunningStack]:
    """A stack of the test's own."""
    running = RunningStack(tmp_path / "home", RememberedPorts(tmp_path).take("gateway"))
    try:
        running.wait_until_ready()
        yield running
        assert running.stop() == 0, running.said()
    finally:
        if running.supervisor.poll() is None:
            running.supervisor.kill()
            running.supervisor.wait()
    shutil.rmtree(tmp_path / "home")


@asynccontextmanager
async def storm(stack: RunningStack, folder: Path, seed: str) -> AsyncIterator[Storm]:
    """The stack with a second gateway, and a way in for clients."""
    journal = Journal()
    async with AsyncExitStack() as opened:
        dsn = urlsplit(stack.sandbox["DATABASE_URL"])
        assert dsn.hostname is not None
        assert dsn.port is not None
        proxy = await opened.enter_async_context(CuttingProxy(dsn.hostname, dsn.port))
        second = SecondGateway(stack, folder, proxy)
        opened.callback(second.kill)
        await second.start()
        sandbox = stack.sandbox
        kafka = CommandClient(sandbox["KAFKA_BOOTSTRAP"], sandbox["TENANT_ID"], "/storm")
        await opened.enter_async_context(kafka)
        doors = Doors(stack, [stack.url, second.url], kafka, journal)
        nemesis = Nemesis(stack, second, proxy, journal, seed)
        yield Storm(stack, doors, journal, nemesis, second, seed)
        assert await second.end(SIGTERM) == 0, second.output.read_text()


@pytest.mark.slow
async def test_whatever_breaks_every_answer_was_true(own: RunningStack, tmp_path: Path) -> None:
    seed = os.environ.get("STORM_SEED") or secrets.token_hex(4)
    seconds = float(os.environ.get("STORM_SECONDS", "90"))
    async with storm(own, tmp_path, seed) as raging:
        raging.journal.say(f"STORM_SEED={seed}")
        await work(raging, seconds)
        await own.wait_until_caught_up()
        wrong = [*storm_judge.outages(raging.journal)]
        await storm_aftermath.repeat_all(raging.doors, raging.journal, seed)
        await storm_aftermath.repeat_over_kafka(raging.doors, raging.journal, seed)
        await asyncio.sleep(SOON_S)
        await own.wait_until_caught_up()
        wrong += await judge(raging)
        raging.journal.say(str(dict(sorted(raging.journal.counts.items()))))
        found = [*raging.journal.wrong, *wrong]
        for each in found[:SAID]:
            raging.journal.say(f"WRONG: {each[:LONG]}")
        assert len(found) == 0, f"STORM_SEED={seed}: {len(found)} are wrong"
    await own.verify()


async def work(raging: Storm, seconds: float) -> None:
    """Let clients and nemesis work; both end when the time is over and all is clear."""
    journal = raging.journal
    clients = [
        Client(f"{raging.seed}-{number}", raging.doors, journal, raging.seed)
        for number in range(CLIENTS)
    ]
    wallets = [await client.open_shared() for client in clients[:WALLETS]]
    until = time.monotonic() + seconds

    def is_over() -> bool:
        return time.monotonic() > until

    async with asyncio.TaskGroup() as group:
        group.create_task(raging.nemesis.rage(is_over))
        for client in clients:
            group.create_task(client.work(wallets, is_over))


async def judge(raging: Storm) -> list[str]:
    """All that is wrong, in words."""
    stack, journal = raging.stack, raging.journal
    began = time.monotonic()
    await eventually(lambda: settled(raging), "nothing is due, and all wallets are shown")
    journal.say(f"nothing was due any more after {time.monotonic() - began:.1f} s")
    wrong = await storm_aftermath.rebuilt(stack)
    wrong += await storm_aftermath.topic(stack, journal)
    rows = await rows_of(stack)
    journal.payments = provider_of(stack.home).payments
    wrong += storm_judge.payments(journal, rows)
    index = Index(rows, journal.wishes)
    wrong += storm_judge.gaps(rows)
    wrong += storm_judge.effects(journal, index)
    wrong += storm_judge.answers(journal, index)
    wrong += storm_judge.order(journal, index)
    told = storm_judge.Retelling(journal, rows, index, now := datetime.now(UTC))
    batches = {call.key: call.wishes for call in journal.calls if call.atomic and call.key}
    wrong += told.wrong(batches)
    balances = {wallet: told.purses.live(wallet, now).booked for wallet in told.purses.of}
    found = {each.wallet_id: each.balance for each in journal.reads}
    wrong += [
        f"{wallet} shows {found[wallet]}, {balance} by the coins"
        for wallet, balance in balances.items()
        if found[wallet] != balance
    ]
    wrong += storm_judge.reads(journal, rows)
    wrong += storm_aftermath.said(stack, [raging.second.output])
    wrong += storm_aftermath.sums(journal, index, rows, sum(found.values()))
    journal.counts["commands"] = len(journal.wishes)
    journal.counts["events"] = len(rows)
    journal.counts["payments"] = len(journal.payments)
    return wrong


async def settled(raging: Storm) -> bool:
    """Look at every wallet; whether each was shown as the log has it, and nothing is due.

    Nor is there a payment of which the ledger was not told yet.
    """
    if await raging.stack.fetch(DUE) or provider_of(raging.stack.home).waiting:
        return False
    newest = {row.wallet_id: row.version for row in await rows_of(raging.stack)}
    async with session_of_a_client() as session:
        for wallet in newest:
            await raging.doors.look(session, raging.nemesis.chance, wallet)
    seen = {each.wallet_id: each.version for each in raging.journal.reads}
    return all(seen.get(wallet) == version for wallet, version in newest.items())
