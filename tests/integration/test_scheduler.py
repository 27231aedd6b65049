"""The scheduler as processes, on real PostgreSQL and Kafka: what is due is asked for, once."""

import asyncio
import math
import signal
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from aiohttp import ClientSession
from prometheus_client.parser import text_string_to_metric_families

from schemas.commands import ExpireDue
from services.runtime.database_roles import LEDGER_ROLES, grant_roles
from services.scheduler.due_wallets import MARGIN, DueWallets
from services.scheduler.outstanding import PAGE
from services.scheduler.scheduler import INTERVAL_S
from tests.specs.database_roles import as_role
from tests.specs.due_line import Due, DueLine, Published
from tests.specs.relay_line import until

SOME_ROUNDS_S = 2.5 * INTERVAL_S
PATIENCE_S = 30.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OUTSTANDING = "ledger_scheduler_outstanding_commands"


@pytest.fixture
async def line(database: str, kafka_server: str, tmp_path: Path) -> AsyncIterator[DueLine]:
    """A migrated database with an empty read model, an empty topic, no scheduler."""
    line = DueLine(database, kafka_server, tmp_path)
    await line.open()
    yield line
    await line.close()


@pytest.fixture
async def line_without_schema(
    empty_database: str, kafka_server: str, tmp_path: Path
) -> AsyncIterator[DueLine]:
    """A database with nothing in it."""
    line = DueLine(empty_database, kafka_server, tmp_path)
    await line.open()
    yield line
    await line.close()


@pytest.fixture
def port() -> int:
    """A free port."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


async def test_nothing_due_publishes_nothing(line: DueLine, port: int) -> None:
    await line.lots(3, in_s=3600)
    await line.holds(3, in_s=3600)
    await line.topups(3, in_s=3600)
    await line.show_lapsed(await line.lots(3, in_s=-3600))
    await line.scheduler(LEDGER_HEALTH_PORT=str(port))
    await _until_ready(port)

    await asyncio.sleep(SOME_ROUNDS_S)

    assert await line.published() == []
    metrics = await _metrics(port)
    assert metrics["ledger_scheduler_published_commands_total"] == 0
    assert metrics["ledger_oldest_snapshot_seconds"] >= 0, "it is a number"


async def test_what_is_due_of_every_tenant_is_asked_for_once(line: DueLine) -> None:
    """Also while the read model shows no effect, and where they are more than a page."""
    due = [
        *await line.lots(PAGE + 5, in_s=-2),
        *await line.holds(PAGE + 5, in_s=-1),
        *await line.topups(PAGE + 5, in_s=-1),
    ]

    await line.scheduler()
    await line.until_published(len(due))
    await asyncio.sleep(SOME_ROUNDS_S)

    published = await line.published()
    assert Counter(map(_asked, published)) == Counter(
        (each.tenant_id, each.wallet_id, _id_of(each)) for each in due
    )
    assert {each.submission.who for each in published} == {"kafka:/ledger/scheduler"}


async def test_a_lapse_is_asked_for_when_its_moment_has_come(line: DueLine, port: int) -> None:
    await line.scheduler(LEDGER_HEALTH_PORT=str(port))
    await _until_ready(port)
    (due,) = await line.lots(1, in_s=1.2)

    ((_, at_ms),) = await line.until_published(1)

    assert at_ms / 1000 >= (due.due_at + MARGIN).timestamp()
    await _until_outstanding(port, 1)
    metrics = await _metrics(port)
    assert metrics["ledger_scheduler_published_commands_total"] == 1
    assert metrics["ledger_scheduler_lateness_seconds_count"] == 1
    assert metrics["ledger_scheduler_lateness_seconds_sum"] >= MARGIN.total_seconds()

    await line.show_lapsed([due])
    await _until_outstanding(port, 0)


async def test_two_schedulers_publish_the_same_commands(line: DueLine) -> None:
    due = [*await line.lots(20, in_s=-1), *await line.holds(20, in_s=2)]

    await line.scheduler()
    await line.scheduler()
    published = await line.until_published(2 * len(due))

    assert _ids(published) == _ids_of(due)
    assert len(set(map(_asked, published))) == len(due)
    assert len(published) == 2 * len(due)


async def test_a_killed_scheduler_is_resumed_with_the_same_commands(line: DueLine) -> None:
    due = await line.lots(20, in_s=-1)
    first = await line.scheduler()
    await line.until_published(len(due))

    await first.end(signal.SIGKILL)
    await line.scheduler()

    published = await line.until_published(2 * len(due))
    assert _ids(published) == _ids_of(due)


async def test_a_lost_session_is_made_again(line: DueLine) -> None:
    first = await line.lots(1, in_s=-1)
    scheduler = await line.scheduler()
    await line.until_published(1)
    await line.show_lapsed(first)

    await line.connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'ledger scheduler' AND datname = current_database()"
    )
    second = await line.lots(1, in_s=-1)

    assert _ids(await line.until_published(2)) == _ids_of([*first, *second])
    assert scheduler.logged("session_lost")


async def test_while_kafka_takes_nothing_it_says_so_and_tries_again(
    line: DueLine, port: int
) -> None:
    await line.let_kafka_take_commands(yes=False)
    due = await line.lots(3, in_s=-1)
    scheduler = await line.scheduler(LEDGER_HEALTH_PORT=str(port))
    await until(lambda: len(scheduler.logged("kafka_failed")) > 1, PATIENCE_S)
    assert (await _metrics(port))["ledger_scheduler_failures_total"] > 1
    assert await line.published() == []

    await line.let_kafka_take_commands(yes=True)

    assert _ids(await line.until_published(3)) == _ids_of(due)
    await _until_ready(port)


async def test_a_snapshot_is_looked_for_also_while_kafka_is_away(line: DueLine, port: int) -> None:
    nobody = socket.create_server(("127.0.0.1", 0))
    nowhere = f"127.0.0.1:{nobody.getsockname()[1]}"
    nobody.close()
    async with line.connection.transaction(isolation="repeatable_read"):
        await line.connection.fetchval("SELECT count(*) FROM balances")

        scheduler = await line.scheduler(
            LEDGER_HEALTH_PORT=str(port), LEDGER_KAFKA_BOOTSTRAP=nowhere
        )
        await until(lambda: scheduler.logged("kafka_failed"), PATIENCE_S)

        assert (await _metrics(port))["ledger_oldest_snapshot_seconds"] > 0


async def test_it_waits_for_the_schema(line_without_schema: DueLine, port: int) -> None:
    """There is no order in which processes must start."""
    scheduler = await line_without_schema.scheduler(LEDGER_HEALTH_PORT=str(port))
    await until(lambda: scheduler.logged("session_lost"), PATIENCE_S)

    async with ClientSession() as client, client.get(_url(port, "readyz")) as answer:
        assert answer.status == 503
        (reason,) = (await answer.json())["reasons"]
    assert reason.startswith("PostgreSQL: ")


@pytest.mark.parametrize(
    ("level", "statement"),
    [
        ("REPEATABLE READ", "SELECT now()"),
        # Between its statements it has no snapshot, but what it writes holds others' back.
        ("READ COMMITTED", "SELECT now() WHERE pg_current_xact_id() IS NOT NULL"),
    ],
)
async def test_how_long_a_snapshot_is_held_is_seen_by_the_schedulers_role(
    database: str, level: str, statement: str
) -> None:
    """Whoever holds it: here a login that the scheduler knows nothing of."""
    other = await asyncpg.connect(database)
    await grant_roles(other, LEDGER_ROLES)
    mine = await DueWallets.open(as_role(database, "ledger_scheduler"))
    assert await mine.oldest_snapshot_s() == 0

    await other.execute(f"BEGIN ISOLATION LEVEL {level}")
    began_at = await other.fetchval(statement)
    held_s = await mine.oldest_snapshot_s()
    ended_at = await other.fetchval("SELECT clock_timestamp()")
    await other.execute("ROLLBACK")

    assert 0 < held_s <= (ended_at - began_at).total_seconds()
    assert await mine.oldest_snapshot_s() == 0
    mine.close()
    await other.close()


async def test_a_snapshot_that_may_not_be_seen_is_not_said_to_be_none(database: str) -> None:
    other = await asyncpg.connect(database)
    await grant_roles(other, LEDGER_ROLES)
    # Any role that is told of nobody else's sessions.
    mine = await DueWallets.open(as_role(database, "ledger_relay"))

    assert math.isnan(await mine.oldest_snapshot_s())

    mine.close()
    await other.close()


def _id_of(due: Due) -> str:
    microseconds = (due.due_at - _EPOCH) // timedelta(microseconds=1)
    return f"expire-due/{due.wallet_id}/{microseconds}"


def _ids_of(due: Iterable[Due]) -> set[str]:
    return {_id_of(each) for each in due}


def _ids(published: Iterable[Published]) -> set[str | None]:
    return {each.submission.command_id for each in published}


def _asked(published: Published) -> tuple[str, str, str | None]:
    submission = published.submission
    assert isinstance(submission.command, ExpireDue)
    return submission.tenant_id, submission.command.wallet_id, submission.command_id


def _url(port: int, path: str) -> str:
    return f"http://127.0.0.1:{port}/{path}"


async def _until_ready(port: int) -> None:
    async with asyncio.timeout(PATIENCE_S), ClientSession() as client:
        while True:
            try:
                async with client.get(_url(port, "readyz")) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                pass
            await asyncio.sleep(0.05)


async def _until_outstanding(port: int, count: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while (await _metrics(port))[_OUTSTANDING] != count:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


async def _metrics(port: int) -> dict[str, float]:
    """The metrics by name; of several with that name the sum."""
    async with ClientSession() as client, client.get(_url(port, "metrics")) as answer:
        families = text_string_to_metric_families(await answer.text())
    found: dict[str, float] = {}
    for sample in (sample for family in families for sample in family.samples):
        found[sample.name] = found.get(sample.name, 0.0) + sample.value
    return found
