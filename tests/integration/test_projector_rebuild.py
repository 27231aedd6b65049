"""A read model made anew beside the live one, which goes on as if nothing had happened."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import asyncpg
import pytest

from projections.checkpoint import reopen_log
from projections.registry import PROJECTIONS
from services.projector import rebuild
from services.projector.rebuild import Rebuild, run
from services.projector.shadow import Shadow
from services.verify.main import verify
from services.verify.report import Report
from tests.specs.published_log import PublishedLog, published_log

NAMES = pytest.mark.parametrize("name", sorted(PROJECTIONS))


@pytest.fixture
async def log(database: str, kafka_server: str) -> AsyncIterator[PublishedLog]:
    async with published_log(database, kafka_server) as log:
        yield log


async def _failures(log: PublishedLog) -> dict[str, list[str]]:
    report = Report()
    await verify(log.settings, report)
    return report.failures()


async def _schema(log: PublishedLog) -> list[str]:
    rows = await log.connection.fetch(
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexdef"
    )
    return [row["indexdef"] for row in rows]


@NAMES
async def test_a_rebuilt_read_model_equals_the_live_one_which_goes_on(
    log: PublishedLog, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await log.connection.execute("CREATE ROLE reader_of_tests NOLOGIN")
    try:
        for table in PROJECTIONS[name].tables:
            await log.connection.execute(f"GRANT SELECT ON {table} TO reader_of_tests")
        schema = await _schema(log)
        async with log.projector(name) as task:
            await log.happen(30, 6000)
            await log.administer()
            await log.wait_until_folded(name, log.factory.of_wallets, task)
            rebuilding = asyncio.create_task(run(log.settings, name))
            for _ in range(5):
                await log.happen(2, 200)
            assert await rebuilding == 0
            await log.administer()
            await log.happen(2, 200)
            await log.wait_until_folded(name, log.factory.of_wallets, task)
        assert "the old one was equal to it" in capsys.readouterr().out
        assert await _schema(log) == schema
        rebuilds = await log.connection.fetch(
            "SELECT DISTINCT rebuilds FROM projection_checkpoints WHERE projection = $1", name
        )
        assert [row["rebuilds"] for row in rebuilds] == [1], "what it remembered is void"
        for table in PROJECTIONS[name].tables:
            assert await log.connection.fetchval(
                "SELECT has_table_privilege('reader_of_tests', $1, 'SELECT')", table
            )
        assert (
            await log.connection.fetchval(
                "SELECT count(*) FROM pg_namespace WHERE nspname ~ '^(rebuild|retired)_'"
            )
            == 0
        )
        assert await _failures(log) == {}
    finally:
        await log.connection.execute("DROP OWNED BY reader_of_tests")
        await log.connection.execute("DROP ROLE reader_of_tests")


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("balances", "UPDATE balances SET balance = balance + 1 WHERE status = 'active'"),
        ("balances", "DELETE FROM balances"),
        ("balances", "UPDATE balances SET expiring_amount = 1 + expiring_amount"),
        ("balances", "UPDATE holds SET held_amount = held_amount + 1 WHERE status = 'open'"),
        ("balances", "DELETE FROM holds WHERE status = 'captured'"),
        ("balances", "UPDATE wallet_counts SET wallets = wallets + 1"),
        ("balances", "DELETE FROM wallet_counts"),
        ("balances", "UPDATE wallet_counts SET block = block + 100"),
        ("transactions", "UPDATE transactions SET reference = 'x' WHERE version = 3"),
        ("transactions", "DELETE FROM transactions WHERE version < 10"),
        ("transactions", "UPDATE transactions SET reversed_after = 1 + reversed_after"),
        ("trial_balance", "UPDATE journal_entries SET amount = amount + 1 WHERE position % 7 = 0"),
        ("trial_balance", "DELETE FROM journal_entries WHERE position % 7 = 0"),
        ("trial_balance", "UPDATE accounts SET credits = credits + 1"),
    ],
    ids=[
        "wrong balances",
        "no balances",
        "wrong lapses",
        "wrong holds",
        "missing holds",
        "wrong counts",
        "no counts",
        "counts of nothing",
        "wrong history",
        "history with holes",
        "wrong reversals",
        "wrong entries",
        "missing entries",
        "wrong accounts",
    ],
)
async def test_a_damaged_read_model_is_reported_and_made_whole(
    log: PublishedLog, name: str, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with log.projector(name) as task:
        await log.happen(10, 300)
        await log.wait_until_folded(name, log.factory.position, task)
    await log.connection.execute(damage)
    assert await _failures(log) != {}
    assert await run(log.settings, name) == 0
    assert "the old one differed in" in capsys.readouterr().out
    assert await _failures(log) == {}
    async with log.projector(name) as task:
        await log.happen(2, 50)
        await log.wait_until_folded(name, log.factory.position, task)


async def test_a_wallet_that_the_log_does_not_have_is_reported_and_gone(
    log: PublishedLog, capsys: pytest.CaptureFixture[str]
) -> None:
    async with log.projector("balances") as task:
        await log.happen(10, 50)
        await log.wait_until_folded("balances", log.factory.position, task)
    await log.connection.execute(
        "INSERT INTO balances SELECT tenant_id, gen_random_uuid(), version, customer_id, user_id, "
        "currency, status, balance, available_balance, opened_position, created_at, updated_at, "
        "metadata FROM balances LIMIT 1"
    )
    assert await run(log.settings, "balances") == 0
    assert "only the live table has it" in capsys.readouterr().out
    assert await log.connection.fetchval("SELECT count(*) FROM balances") == 10


async def test_a_hold_that_the_log_does_not_have_is_reported_and_gone(
    log: PublishedLog, capsys: pytest.CaptureFixture[str]
) -> None:
    async with log.projector("balances") as task:
        await log.happen(10, 200)
        await log.wait_until_folded("balances", log.factory.position, task)
    holds = await log.connection.fetchval("SELECT count(*) FROM holds")
    await log.connection.execute(
        "INSERT INTO holds SELECT tenant_id, wallet_id, gen_random_uuid(), opened_version, status, "
        "amount, captured_amount, held_amount, currency, reference, description, metadata, "
        "expires_at, created_at, updated_at, version FROM holds LIMIT 1"
    )
    assert await _failures(log) != {}
    assert await run(log.settings, "balances") == 0
    assert "only the live table has it" in capsys.readouterr().out
    assert await log.connection.fetchval("SELECT count(*) FROM holds") == holds
    assert await _failures(log) == {}


@NAMES
async def test_a_projector_that_refuses_another_topic_goes_on_after_a_rebuild(
    log: PublishedLog, name: str
) -> None:
    async with log.projector(name) as task:
        await log.happen(10, 300)
        await log.wait_until_folded(name, log.factory.position, task)
    async with log.admin() as admin:
        await admin.delete_topics([log.settings.events_topic])
        await asyncio.sleep(1)
    await log.make_topic()
    await log.connection.execute("UPDATE relay_progress SET topic_id = $1", log.identity.topic_id)
    assert await run(log.settings, name) == 0
    async with log.projector(name) as task:
        await log.happen(2, 50)
        await log.wait_until_folded(name, log.factory.position, task)


async def test_a_rebuild_that_is_chosen_to_end_a_deadlock_tries_again(
    log: PublishedLog, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with log.projector("trial_balance") as task:
        await log.happen(3, 50)
        await log.wait_until_folded("trial_balance", log.factory.position, task)
    locked = Shadow.locked
    failures = [asyncpg.DeadlockDetectedError("chosen")]

    def once_chosen(shadow: Shadow) -> AbstractAsyncContextManager[None]:
        if failures:
            raise failures.pop()
        return locked(shadow)

    monkeypatch.setattr(Shadow, "locked", once_chosen)
    assert await run(log.settings, "trial_balance") == 0
    assert not failures
    assert "the old one was equal to it" in capsys.readouterr().out


async def test_what_has_not_begun_is_not_rebuilt(
    log: PublishedLog, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(log.settings, "balances") == 1
    assert "has not begun yet" in capsys.readouterr().out


@pytest.mark.parametrize(
    "moment",
    ["_look_whether_live_goes_on", "_fold_a_page", "_find_strangers"],
    ids=["when it begins", "while it folds", "before it switches"],
)
async def test_where_the_live_one_goes_back_to_the_log_and_stays_there_it_goes_on_alone(
    log: PublishedLog,
    moment: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As after retention, which leaves the generation of the topic as it is."""
    async with log.projector("balances") as task:
        await log.happen(20, 5000)
        await log.wait_until_folded("balances", log.factory.position, task)
    step = getattr(Rebuild, moment)
    steps = 0

    async def go_back_first(*arguments: object) -> object:
        nonlocal steps
        steps += 1
        if steps == 1:
            await reopen_log(log.connection, "balances")
        return await step(*arguments)

    monkeypatch.setattr(Rebuild, moment, go_back_first)
    monkeypatch.setattr(rebuild, "_STANDSTILL_S", 0.3)

    assert await run(log.settings, "balances") == 0

    said = capsys.readouterr().out
    assert "the live balances reads the log: going on without comparing" in said
    assert await log.folded("balances") == log.factory.position
    async with log.projector("balances") as task:
        await log.happen(2, 50)
        await log.wait_until_folded("balances", log.factory.position, task)
    assert await _failures(log) == {}
