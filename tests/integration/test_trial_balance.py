"""The books on real PostgreSQL: however the log is cut, and out of the partitions' order."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from click.testing import CliRunner

from projections.interface import ProjectedEvent
from projections.log import prepare_session
from projections.registry import PROJECTIONS
from projections.runner import Runner
from projections.trial_balance import projection, read_model
from projections.trial_balance.evolve import entry_of
from projections.trial_balance.projection import BLOCK_POSITIONS
from projections.trial_balance.read_model import (
    AccountView,
    differences,
    list_accounts,
    list_accounts_as_of,
    list_entries,
    newest_entry,
    position_at,
    read_account,
    read_reached,
)
from services.command_line.main import commands
from services.projector.books import observe_books
from services.runtime.settings import SecretText, Settings
from services.trial_balance.main import AsOfError, run
from tests.specs.event_factory import TENANT_ID, EventFactory, projected, write_log
from tests.specs.published_log import wait_until

ROOT = Path(__file__).parents[2]
_WAITING = "SELECT count(*) FROM pg_locks WHERE pid = $1 AND NOT granted"

OTHER_TENANT = "0b6f4f0e-4d0e-4a57-9d5c-2a54f5f2a111"
PARTITIONS = 3


class Journal:
    """A log and its books; what is folded is up to the test."""

    def __init__(self, dsn: str, connection: "asyncpg.Connection[Any]") -> None:
        self.dsn = dsn
        self.connection = connection
        self.factory = EventFactory(seed=21)
        self._runner = Runner(PROJECTIONS["trial_balance"], connection)

    async def written(self) -> list[ProjectedEvent]:
        """What the factory made, in the log."""
        return [projected(event) for event in await write_log(self.connection, self.factory)]

    async def book(self, events: Sequence[ProjectedEvent]) -> None:
        """Fold a batch."""
        await self._runner.apply(events, [])

    async def begin_at(self, position: int) -> None:
        """Let the log begin behind a position, as if what was before it were booked."""
        self.factory.position = position
        await self.connection.execute("UPDATE journal_completeness SET position = $1", position)


@pytest.fixture
async def journal(database: str) -> AsyncIterator[Journal]:
    connection = await asyncpg.connect(database)
    await prepare_session(connection)
    yield Journal(database, connection)
    connection.terminate()


def naive(events: Sequence[ProjectedEvent]) -> dict[tuple[str, str, str], tuple[int, int, int]]:
    """Debits, credits and number of entries by tenant, account and currency."""
    sums: dict[tuple[str, str, str], tuple[int, int, int]] = {}
    for event in events:
        entry = entry_of(event)
        if entry is None:
            continue
        for account, debit, credit in (
            (entry.debit, entry.amount, 0),
            (entry.credit, 0, entry.amount),
        ):
            key = (event.wallet.tenant_id, account, entry.currency)
            debits, credited, count = sums.get(key, (0, 0, 0))
            sums[key] = (debits + debit, credited + credit, count + 1)
    return sums


def shown(accounts: Sequence[AccountView]) -> dict[tuple[str, str, str], tuple[int, int, int]]:
    """The same, as the read model has it."""
    return {
        (each.tenant_id, each.account, each.currency): (
            each.debits,
            each.credits,
            each.entry_count,
        )
        for each in accounts
    }


async def test_accounts_as_of_any_position_are_the_fold_up_to_it(journal: Journal) -> None:
    """Over the end of two blocks, which subtotals are made of."""
    begin = 2 * BLOCK_POSITIONS - 150
    await journal.begin_at(begin)
    other = journal.factory.open(tenant_id=OTHER_TENANT, currency="NGN")
    journal.factory.credit(other, 500)
    journal.factory.history(5, 300)
    events = await journal.written()
    for start in range(0, len(events), 40):
        await journal.book(events[start : start + 40])
    assert shown(await list_accounts(journal.connection)) == naive(events)
    block_end = 2 * BLOCK_POSITIONS
    assert begin < block_end - 2
    assert events[-1].position > block_end + 2
    edges = {block_end - 2, block_end - 1, block_end, block_end + 1, begin, events[-1].position}
    for position in sorted(edges | set(range(begin, events[-1].position, 23))):
        before = [event for event in events if event.position <= position]
        found = await list_accounts_as_of(journal.connection, position)
        assert shown(found) == naive(before), position
    mine = await list_accounts_as_of(journal.connection, events[-1].position, OTHER_TENANT)
    assert [(each.account, each.balance) for each in mine] == [
        ("customer_wallet", -500),
        ("merchant", 500),
    ]


async def test_the_journal_is_complete_up_to_its_first_hole(journal: Journal) -> None:
    """Partitions come each in its order, and one after the other in the worst case."""
    journal.factory.history(9, 200)
    events = await journal.written()
    chance = random.Random(5)  # noqa: S311 - a test is to be the same every time
    partition = {event.wallet: chance.randrange(PARTITIONS) for event in events}
    queues = [
        [event for event in events if partition[event.wallet] == number]
        for number in range(PARTITIONS)
    ]
    booked: set[int] = set()
    reached = 0
    while any(queues):
        queue = chance.choice([queue for queue in queues if queue])
        batch, queue[:] = queue[:20], queue[20:]
        await journal.book(batch)
        booked |= {event.position for event in batch}
        while reached + 1 in booked:
            reached += 1
        found = await read_reached(journal.connection)
        assert (found.position, found.head) == (reached, events[-1].position)
        assert set((await differences(journal.connection)).values()) <= {0}
        as_of = await list_accounts_as_of(journal.connection, reached)
        assert shown(as_of) == naive(events[:reached])
    assert reached == len(events)


async def test_completeness_catches_up_though_nothing_happens_any_more(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.factory.history(3, 100)
    events = await journal.written()
    monkeypatch.setattr(projection, "LOOK_AHEAD", 7)
    monkeypatch.setattr(read_model, "LOOK_AHEAD", 40)
    await journal.book(events)

    async def saved() -> int:
        found = await journal.connection.fetchval("SELECT position FROM journal_completeness")
        return int(found)

    assert await saved() == 7
    await observe_books(journal.connection)
    assert await saved() == 47
    for _ in range(len(events) // 40):
        await observe_books(journal.connection)
    assert await saved() == events[-1].position


async def test_the_first_batch_has_a_row_to_take_its_turn_at(journal: Journal) -> None:
    found = await journal.connection.fetch("SELECT position FROM journal_completeness")
    assert [row["position"] for row in found] == [0]


async def test_a_rebuild_that_takes_over_holds_up_the_gauges_only(journal: Journal) -> None:
    await journal.connection.execute("SET lock_timeout TO '50ms'")
    rebuild = await asyncpg.connect(journal.dsn)
    for table in PROJECTIONS["trial_balance"].tables:
        async with rebuild.transaction():
            await rebuild.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            await observe_books(journal.connection)
    await rebuild.close()
    assert (await read_reached(journal.connection)).position == 0


async def test_tables_are_locked_in_the_order_in_which_a_rebuild_locks_them(
    journal: Journal,
) -> None:
    """Who waits for the first has nothing of the second."""
    rebuild = await asyncpg.connect(journal.dsn)
    async with rebuild.transaction():
        await rebuild.execute("LOCK TABLE journal_progress IN ACCESS EXCLUSIVE MODE")
        asking = asyncio.create_task(read_reached(journal.connection))

        async def waits() -> bool:
            count = await rebuild.fetchval(_WAITING, journal.connection.get_server_pid())
            return bool(count)

        await wait_until(waits)
        await rebuild.execute("LOCK TABLE journal_completeness IN ACCESS EXCLUSIVE MODE NOWAIT")
    assert (await asking).position == 0
    await rebuild.close()


@pytest.mark.parametrize(
    "file", ["services/verify/sql/read_entries.sql", "projections/trial_balance/sql/compare.sql"]
)
async def test_a_page_of_entries_costs_each_account_once(journal: Journal, file: str) -> None:
    """However many events it has, and however many accounts their tenant."""
    currencies = [f"X{first}{second}" for first in "ABCDE" for second in "ABCDE"]
    for currency in currencies:
        wallet = journal.factory.open(currency=currency)
        for _ in range(4):
            journal.factory.credit(wallet, 100)
    events = await journal.written()
    await journal.book(events)
    for table in PROJECTIONS["trial_balance"].tables:
        await journal.connection.execute(f"CREATE TEMP VIEW live_{table} AS TABLE {table}")
    rows = await journal.connection.fetch(
        f"EXPLAIN (ANALYZE, FORMAT JSON) {(ROOT / file).read_text()}",
        [TENANT_ID],
        events[0].position,
        events[-1].position,
    )
    plan = json.loads(rows[0][0])[0]["Plan"]
    looks = [node["Actual Loops"] for node in _nodes(plan) if "journal_entries" in _table(node)]
    accounts = len(await list_accounts(journal.connection))
    assert accounts == 2 * len(currencies)
    assert looks
    assert max(looks) <= accounts < len(events)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)


def _table(node: dict[str, Any]) -> str:
    return str(node.get("Relation Name", node.get("Index Name", "")))


async def test_a_tenants_newest_entry_says_nothing_of_others(journal: Journal) -> None:
    mine = journal.factory.open()
    journal.factory.credit(mine, 100)
    newest = journal.factory.position
    for _ in range(5):
        journal.factory.credit(journal.factory.open(tenant_id=OTHER_TENANT), 1)
    events = await journal.written()
    await journal.book(events)
    head = events[-1].position
    assert await newest_entry(journal.connection, TENANT_ID, head) == newest < head
    assert await newest_entry(journal.connection, TENANT_ID, newest - 1) == 0
    assert await newest_entry(journal.connection, OTHER_TENANT, head) == head
    of_all = await list_accounts_as_of(journal.connection, head, TENANT_ID)
    assert of_all == await list_accounts_as_of(journal.connection, newest, TENANT_ID)


async def test_entries_have_the_balance_that_the_log_gives_them(journal: Journal) -> None:
    journal.factory.history(4, 200)
    events = await journal.written()
    await journal.book(events)
    balance: Counter[str] = Counter()
    expected = []
    for event in events:
        entry = entry_of(event)
        if entry is not None and (event.wallet.tenant_id, entry.currency) == (TENANT_ID, "GHS"):
            balance[entry.debit] += entry.amount
            balance[entry.credit] -= entry.amount
            if "customer_wallet" in (entry.debit, entry.credit):
                expected.append((event.position, balance["customer_wallet"]))
    found = []
    up_to = events[-1].position
    while page := await list_entries(
        journal.connection, TENANT_ID, "customer_wallet", "GHS", up_to=up_to, limit=7
    ):
        found += [(line.position, line.balance_after) for line in page]
        up_to = page[-1].position - 1
    assert found == expected[::-1]
    account = await read_account(journal.connection, TENANT_ID, "customer_wallet", "GHS")
    assert account is not None
    assert account.balance == balance["customer_wallet"]


async def test_a_moment_is_the_last_position_that_was_recorded_by_then(journal: Journal) -> None:
    journal.factory.history(3, 60)
    events = await journal.written()
    for event in events:
        found = await position_at(journal.connection, event.recorded_at)
        last = max(each.position for each in events if each.recorded_at <= event.recorded_at)
        assert (found.position, found.is_ahead) == (last, False)
    early = events[0].recorded_at.replace(year=2020)
    assert (await position_at(journal.connection, early)).position == 0


async def test_a_sum_outgrows_the_largest_amounts(journal: Journal) -> None:
    largest = 2**53 - 1
    for _ in range(1100):
        journal.factory.credit(journal.factory.open(), largest)
    events = await journal.written()
    for start in range(0, len(events), 500):
        await journal.book(events[start : start + 500])
    (wallets, merchant) = await list_accounts(journal.connection)
    assert wallets.credits == merchant.debits == 1100 * largest > 2**63
    found = await list_accounts_as_of(journal.connection, events[-1].position)
    assert found == [wallets, merchant]


async def test_the_command_line_shows_that_it_is_zero(
    journal: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    journal.factory.history(4, 100)
    events = await journal.written()
    await journal.book(events[:50])
    settings = Settings(database_url=SecretText(journal.dsn))
    assert await run(settings, None, None) == 0
    said = capsys.readouterr().out
    assert f"complete up to position 50 of {len(events)}" in said
    assert "GH₵0.00" in said
    assert "what is owed to others is negative" in said
    assert await run(settings, TENANT_ID, 50) == 0
    assert "customer_wallet" in capsys.readouterr().out
    assert await run(settings, OTHER_TENANT, events[9].recorded_at) == 0
    said = capsys.readouterr().out
    assert "position 10" in said
    assert "nothing is booked" in said
    with pytest.raises(AsOfError, match="not complete yet"):
        await run(settings, None, 51)
    with pytest.raises(AsOfError, match="is ahead"):
        await run(settings, None, len(events) + 1)
    await journal.connection.execute("UPDATE accounts SET debits = debits + 1")
    assert await run(settings, None, None) == 1
    assert "GHS differs by GH₵" in capsys.readouterr().out


@pytest.mark.parametrize("as_of", ["2026", "20260101"])
def test_the_command_line_asks_what_may_be_a_date_or_a_position(as_of: str) -> None:
    result = CliRunner().invoke(commands, ["trial-balance", "--as-of", as_of])
    assert result.exit_code == 2
    assert "position:" in result.output
    asked = ["trial-balance", "--as-of", f"position:{as_of}", "--tenant", "nobody"]
    assert "'--tenant'" in CliRunner().invoke(commands, asked).output, "this one is understood"


@pytest.mark.parametrize("as_of", ["yesterday", "-1", "1.5", "99999999999999999999"])
def test_the_command_line_refuses_what_is_no_moment(as_of: str) -> None:
    result = CliRunner().invoke(commands, ["trial-balance", "--as-of", as_of])
    assert result.exit_code == 2
    assert "neither a time" in result.output
