"""A server that ends a session and closes its connection later, and one that does not answer.

The driver then says things of its own, which are no `OSError` and nothing that a server says.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from ledger.command_handling import patience
from ledger.command_handling.errors import LedgerUnavailableError, OutcomeUnknownError
from ledger.event_log.postgres import PostgresEventLog
from projections.registry import PROJECTIONS
from services.customers.leftovers import Leftovers
from services.gateway import database as gateway_database
from services.gateway.baas.failures import VAULT_UNAVAILABLE
from services.gateway.baas.vault_door import VaultDoor
from services.gateway.baas.vault_metrics import VaultMetrics
from services.gateway.database import MAX_READING, Database, Pool
from services.gateway.problems import ReadsUnavailableError, RefusedError
from services.intake.intake import Intake
from services.intake.tenants import KnownTenants
from services.projector.metrics import Readiness
from services.projector.projector import Projector
from services.runtime import postgres
from services.runtime.environment import SystemEnvironment
from services.runtime.outages import DatabaseOutageError, said_as_outages
from services.runtime.postgres import Connection
from services.runtime.settings import SecretText, Settings
from services.scheduler.upkeep import Upkeep
from services.vault.blind_index import BlindIndex
from services.vault.document_store import FileDocumentStore
from services.vault.vault import Vault
from tests.specs.late_proxy import LateProxy
from tests.specs.world import Writer

NOT_FOR_LONG_S = 0.2
PATIENCE_S = 20.0


@pytest.fixture
async def proxy(database: str) -> AsyncIterator[LateProxy]:
    async with LateProxy(database) as proxy:
        yield proxy


@pytest.fixture
async def ended(proxy: LateProxy) -> AsyncIterator[Connection]:
    """A connection whose session is over, and which does not know yet that it is closed."""
    connection = await postgres.connect(proxy.dsn, "test")
    await proxy.end_session(connection)
    yield connection
    connection.terminate()


async def test_what_the_driver_says_of_such_a_connection_is_a_lost_session(
    ended: Connection,
) -> None:
    with pytest.raises(asyncpg.InternalClientError, match="cannot switch to state") as raised:
        await ended.fetchval("SELECT 1")
    assert isinstance(raised.value, postgres.LOST)


async def test_a_command_calls_it_an_outage(ended: Connection) -> None:
    with pytest.raises(DatabaseOutageError), said_as_outages("postgresql://db/ledger"):
        await ended.fetchval("SELECT 1")


async def test_a_projector_connects_again(
    proxy: LateProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[Connection] = []
    serves_again = asyncio.Event()

    async def serve(_: Projector, connection: Connection) -> None:
        served.append(connection)
        if len(served) == 1:
            await proxy.end_session(connection)
            await connection.fetchval("SELECT 1")
        assert await connection.fetchval("SELECT 1") == 1
        serves_again.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(Projector, "_serve", serve)
    settings = Settings(database_url=SecretText(proxy.dsn))
    projector = Projector(settings, PROJECTIONS["balances"], SystemEnvironment(), Readiness())
    running = asyncio.ensure_future(projector.run())
    again = asyncio.ensure_future(serves_again.wait())
    try:
        await asyncio.wait({running, again}, timeout=PATIENCE_S, return_when="FIRST_COMPLETED")
        assert (running.done(), again.done()) == (False, True)
    finally:
        running.cancel()
        again.cancel()
        await asyncio.gather(running, again, return_exceptions=True)


async def test_the_upkeep_is_tried_again(
    ended: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def remove(_: Leftovers) -> Any:
        return await ended.fetchval("SELECT 1")

    monkeypatch.setattr(Leftovers, "remove", remove)
    assert not await Upkeep(Settings(), SystemEnvironment()).is_done()


async def test_the_vault_is_unavailable_and_no_fault_of_ours(
    ended: Connection, tmp_path: Path
) -> None:
    async def work(_: Vault) -> Any:
        return await ended.fetchval("SELECT 1")

    door = VaultDoor(
        _NoVault,
        lambda: BlindIndex(bytes(32)),
        FileDocumentStore(tmp_path),
        metrics=VaultMetrics(CollectorRegistry()),
    )
    with pytest.raises(RefusedError) as refused:
        await door.use(work)
    assert refused.value.code == VAULT_UNAVAILABLE
    await door.close()


class _NoVault:
    """What a door opens, for work that asks nothing of it."""

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass


async def test_a_read_ends_in_time_also_where_the_server_does_not_answer(
    proxy: LateProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And when the server answers again, every connection is of use again."""
    database = Database(proxy.dsn)
    reads = 2 * MAX_READING

    async def ask(pool: Pool) -> Any:
        return await pool.fetchval("SELECT 1")

    async def asked(number: int) -> Any:
        return await database.read(f"tenant {number}", ask)

    assert await asyncio.gather(*map(asked, range(reads))) == [1] * reads
    proxy.flows.clear()
    with monkeypatch.context() as patched:
        patched.setattr(gateway_database, "MAX_READ_SECONDS", NOT_FOR_LONG_S)
        async with asyncio.timeout(PATIENCE_S):
            told = await asyncio.gather(*map(asked, range(reads)), return_exceptions=True)
            assert await database.problems() == ["the database cannot be reached"]
    assert {type(each) for each in told} == {ReadsUnavailableError}
    proxy.flows.set()
    assert await asyncio.gather(*map(asked, range(reads))) == [1] * reads
    assert await database.problems() == []
    await database.close()


async def test_an_idle_intake_says_that_the_server_does_not_answer(proxy: LateProxy) -> None:
    """And that it does again: nobody has to send a command for that."""
    pool = await postgres.pool(proxy.dsn, "test")
    idle: Any = SimpleNamespace(assigned={"commands-0"}, trouble=None)
    environment = SystemEnvironment()
    intake = Intake(
        consumer=idle,
        publisher=idle,
        processor=idle,
        tenants=KnownTenants(pool, environment.monotonic),
        environment=environment,
        results_topic="results",
        rejected_topic="rejected",
    )
    watching = asyncio.create_task(intake.watch_database(NOT_FOR_LONG_S))
    async with asyncio.timeout(PATIENCE_S):
        proxy.flows.clear()
        while intake.reasons_not_ready() != ["the database is away: TimeoutError"]:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
        proxy.flows.set()
        while intake.reasons_not_ready():  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await pool.close()


async def test_a_command_is_answered_also_where_the_log_is_silent(
    proxy: LateProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what the log has done meanwhile is the answer to whoever repeats the command."""
    monkeypatch.setattr(patience, "MAX_SETTLING_S", NOT_FOR_LONG_S)
    log = PostgresEventLog(proxy.dsn)
    writer = await Writer(log).start()
    async with asyncio.timeout(PATIENCE_S):
        wallet = await writer.open_wallet()
        proxy.flows.clear()
        with pytest.raises(OutcomeUnknownError):
            await writer.credit(wallet, 1, "under way")
        with pytest.raises(LedgerUnavailableError):
            await writer.credit(wallet, 10, "later")
        proxy.flows.set()
        while writer.processor.patience.is_lost:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
        again = await writer.credit(wallet, 1, "under way")
        later = await writer.credit(wallet, 10, "later")
    assert (again.replayed, later.replayed) == (True, False)
    assert later.result.transaction is not None
    assert later.result.transaction.balance_after == 11
    await writer.stop()
    await log.close()
