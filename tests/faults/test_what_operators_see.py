"""What the documentation says that an operator sees: readiness, metrics, the log, how it ends.

The processes run as in production, each by itself, on servers that the test breaks.
"""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from services.runtime.migrations import apply_migrations
from services.runtime.settings import Settings
from services.runtime.topics import ensure_topics, ledger_topics
from services.supervisor.embedded_kafka import EmbeddedKafka
from services.supervisor.embedded_postgres import EmbeddedPostgres
from tests.conformance.backends import PostgresBackend
from tests.specs.lone_process import LoneProcess, lone_process
from tests.specs.running_stack import eventually
from tests.specs.shop_calls import Merchant, ShopCalls

pytestmark = pytest.mark.long

PROCESSES = ("gateway", "intake", "relay", "projector balances", "scheduler")

MADE = 3
"""The events before the first wallet's: the merchant, in both streams, and its credential."""
MADE_BY = 2
"""The appends that wrote them."""


class Servers(NamedTuple):
    """A PostgreSQL and a Kafka of the test's own, to be broken."""

    postgres: EmbeddedPostgres
    kafka: EmbeddedKafka


@pytest.fixture
def servers(server_home: Path, _no_settings_of_the_caller: None) -> Iterator[Servers]:
    servers = Servers(EmbeddedPostgres(server_home), EmbeddedKafka(server_home))
    for server in servers:
        server.launch()
    for server in servers:
        while not server.is_ready():
            time.sleep(0.05)
    yield servers
    for server in servers:
        server.stop()


class Running(dict[str, LoneProcess]):
    """Processes by name."""

    async def wait_until_ready(self) -> None:
        """Come back when all of them are."""
        for process in self.values():
            await process.wait_until_ready()

    async def wait_for_reason(self, words: str, start: str) -> None:
        """Come back when a process gives a reason that begins so."""

        async def is_given() -> bool:
            reasons = await self[words].reasons() or []
            return any(reason.startswith(start) for reason in reasons)

        await eventually(is_given, f"{words} is not ready for {start!r}")


@asynccontextmanager
async def _running(
    folder: Path, settings: Mapping[str, str], names: tuple[str, ...] = PROCESSES
) -> AsyncIterator[Running]:
    async with AsyncExitStack() as stack:
        running = Running()
        for words in names:
            running[words] = await stack.enter_async_context(lone_process(folder, words, settings))
        await running.wait_until_ready()
        yield running


@pytest.mark.slow
async def test_a_server_that_is_away_is_seen_at_every_process_and_its_return_too(
    servers: Servers, tmp_path: Path
) -> None:
    settings = {
        "LEDGER_DATABASE_URL": servers.postgres.dsn,
        "LEDGER_KAFKA_BOOTSTRAP": servers.kafka.bootstrap,
    }
    await _migrate(servers.postgres.dsn)
    merchant = await Merchant.made_in(servers.postgres.dsn)
    async with _running(tmp_path, settings) as running:
        shop = ShopCalls(running["gateway"].url, merchant.authorization)
        wallet_id = await shop.open_wallet()

        # Kafka is away: commands over HTTP go on, the rest says so.
        servers.kafka.process.kill()
        await shop.credit(wallet_id, 100, "meanwhile")
        assert await shop.balance(wallet_id) == 100
        for words, reason in (
            ("relay", "Kafka: "),
            ("scheduler", "Kafka: "),
            ("intake", "Kafka does not answer"),
            ("projector balances", "reconnecting: "),
        ):
            await running.wait_for_reason(words, reason)
        assert await running["gateway"].reasons() == []
        assert await running["relay"].metric("ledger_relay_send_failures_total") >= 1
        assert await running["relay"].metric("ledger_relay_lag_events") >= 1
        assert await running["relay"].metric("ledger_relay_lag_seconds") > 0
        assert await running["scheduler"].metric("ledger_scheduler_failures_total") >= 1

        await asyncio.to_thread(servers.kafka.start)
        await running.wait_until_ready()
        await eventually(lambda: _is_zero(running, "relay", "ledger_relay_lag_events"), "caught up")

        # PostgreSQL is away: nobody can work, and everybody says so.
        servers.postgres.process.kill()
        for words, reason in (
            ("gateway", "the database cannot be reached"),
            ("intake", "the database is away: "),
            ("relay", "PostgreSQL: "),
            ("scheduler", "PostgreSQL: "),
            ("projector balances", "reconnecting: "),
        ):
            await running.wait_for_reason(words, reason)
        assert running["gateway"].logged("database_unreachable")
        assert running["relay"].logged("session_lost")

        await asyncio.to_thread(servers.postgres.start)
        await running.wait_until_ready()
        await shop.credit(wallet_id, 1, "afterwards")
        assert await shop.balance(wallet_id) == 101


@pytest.mark.slow
async def test_a_projector_that_kafka_tells_nothing_says_so(
    servers: Servers, tmp_path: Path
) -> None:
    """Stopped, Kafka keeps its connections: nothing fails at once."""
    settings = {
        "LEDGER_DATABASE_URL": servers.postgres.dsn,
        "LEDGER_KAFKA_BOOTSTRAP": servers.kafka.bootstrap,
    }
    await _migrate(servers.postgres.dsn)
    await Merchant.made_in(servers.postgres.dsn)
    async with _running(tmp_path, settings, ("relay", "projector balances")) as running:
        await eventually(
            lambda: _is_zero(running, "projector balances", "ledger_projector_lag_events"),
            "caught up",
        )
        pid = servers.kafka.process.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            await running.wait_for_reason("projector balances", "Kafka tells nothing of")
            lag = await running["projector balances"].metric("ledger_projector_lag_events")
            assert lag >= 1, "it is not known that there is nothing more"
        finally:
            os.kill(pid, signal.SIGCONT)
        await running.wait_until_ready()
        await eventually(
            lambda: _is_zero(running, "projector balances", "ledger_projector_lag_events"),
            "caught up",
        )


async def test_a_restored_log_is_an_alarm_of_each_process(
    database: str, kafka_server: str, tmp_path: Path
) -> None:
    settings = _settings(database, kafka_server)
    merchant = await Merchant.made_in(database)
    names = ("gateway", "relay", "projector balances")
    async with _running(tmp_path, settings, names) as running:
        shop = ShopCalls(running["gateway"].url, merchant.authorization)
        wallet_id = await shop.open_wallet()
        await shop.credit(wallet_id, 100, "kept")
        await shop.credit(wallet_id, 100, "lost")
        await eventually(
            lambda: _is(
                running, "projector balances", "ledger_projector_checkpoint_position", MADE + 3
            ),
            "all is projected",
        )

        # The database is restored to before the last credit, and goes on from there.
        async with AsyncExitStack() as stack:
            await PostgresBackend(database, stack).restore_to(MADE + 2, MADE_BY + 2)
        await shop.credit(wallet_id, 7, "another")

        assert await running["gateway"].metric("ledger_log_divergences_total") == 1
        assert running["gateway"].logged("log_diverged")

        # Whoever has published or folded what is gone ends, and says why; again, when started.
        running["relay"].process.terminate()
        running["projector balances"].process.terminate()
        for words in ("relay", "projector balances"):
            await running[words].ended()
            async with lone_process(tmp_path, words, settings) as again:
                assert await again.ended() == 1
                assert [each["level"] for each in again.logged("log_diverged")] == ["critical"]


async def test_a_row_that_was_changed_by_hand_ends_the_projector_by_name(
    database: str, kafka_server: str, tmp_path: Path
) -> None:
    settings = _settings(database, kafka_server)
    merchant = await Merchant.made_in(database)
    names = ("gateway", "relay", "projector balances")
    async with _running(tmp_path, settings, names) as running:
        shop = ShopCalls(running["gateway"].url, merchant.authorization)
        wallet_id = await shop.open_wallet()
        await shop.credit(wallet_id, 100, "before")
        await eventually(
            lambda: _is(
                running, "projector balances", "ledger_projector_checkpoint_position", MADE + 2
            ),
            "all is projected",
        )

        await _execute(database, "UPDATE balances SET balance = balance + 1")
        await shop.credit(wallet_id, 100, "after")

        assert await running["projector balances"].ended() == 1
        (line,) = running["projector balances"].logged("projection_mismatch")
        assert (line["level"], line["projection"]) == ("critical", "balances")
        verified = await _verify(tmp_path, settings)
        assert "FAILED" in verified


@pytest.mark.slow
async def test_a_topic_that_was_made_again_ends_relay_and_projector_by_name(
    database: str, kafka_server: str, tmp_path: Path
) -> None:
    settings = _settings(database, kafka_server)
    merchant = await Merchant.made_in(database)
    names = ("gateway", "relay", "projector balances")
    async with _running(tmp_path, settings, names) as running:
        shop = ShopCalls(running["gateway"].url, merchant.authorization)
        await shop.open_wallet()
        await eventually(
            lambda: _is(
                running, "projector balances", "ledger_projector_checkpoint_position", MADE + 1
            ),
            "all is projected",
        )

        await _make_again(Settings.from_environment(settings))

        for words, code in (("relay", "topic_refused"), ("projector balances", "topic_changed")):
            assert await running[words].ended() == 1
            assert [each["level"] for each in running[words].logged(code)] == ["critical"]


async def test_a_database_without_a_schema_is_waited_for_by_name(
    empty_database: str, kafka_server: str, tmp_path: Path
) -> None:
    settings = _settings(empty_database, kafka_server)
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(lone_process(tmp_path, "gateway", settings))
        relay = await stack.enter_async_context(lone_process(tmp_path, "relay", settings))
        both = Running({"gateway": gateway, "relay": relay})
        await both.wait_for_reason("gateway", "the database cannot be used: UndefinedTable")
        await both.wait_for_reason("relay", "PostgreSQL: ")

        await _migrate(empty_database)

        await both.wait_until_ready()


def _settings(dsn: str, bootstrap: str) -> dict[str, str]:
    """With topics of the test's own."""
    prefix = f"test-{uuid4().hex[:8]}"
    names = {name: f"{prefix}.{name}" for name in ("events", "commands", "results", "rejected")}
    return {
        "LEDGER_DATABASE_URL": dsn,
        "LEDGER_KAFKA_BOOTSTRAP": bootstrap,
        **{f"LEDGER_{name.upper()}_TOPIC": topic for name, topic in names.items()},
    }


async def _migrate(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await apply_migrations(connection)
    finally:
        await connection.close()


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _make_again(settings: Settings) -> None:
    """Delete the events topic, and make another of the same name."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.require_kafka_bootstrap())
    await admin.start()
    try:
        await admin.delete_topics([settings.events_topic])
        while settings.events_topic in await admin.list_topics():  # noqa: ASYNC110 - Kafka's work
            await asyncio.sleep(0.1)
    finally:
        await admin.close()
    await ensure_topics(settings, ledger_topics(settings))


async def _verify(folder: Path, settings: Mapping[str, str]) -> str:
    async with lone_process(folder, "verify", settings) as verify:
        assert await verify.ended() == 1
        return verify.said()


async def _is(running: Running, words: str, metric: str, value: float) -> bool:
    return await running[words].metric(metric) == value


async def _is_zero(running: Running, words: str, metric: str) -> bool:
    return await _is(running, words, metric, 0)
