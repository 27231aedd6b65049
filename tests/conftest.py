"""Fixtures for tests on real servers, started when the first test asks for one.

Every test gets a database of its own, cloned from a migrated template; nothing that one
test writes is seen by another. With `--database-url` these databases are made on that
server, and dropped again. LEDGER_… variables of the caller do not matter here.
"""

import asyncio
import itertools
import os
import shutil
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from hypothesis import HealthCheck, settings

from services.runtime.migrations import apply_migrations
from services.supervisor.embedded_kafka import EmbeddedKafka
from services.supervisor.embedded_postgres import EmbeddedPostgres
from tests.specs.s3_server import S3Server, running_s3

# What a slow or loaded machine takes for an example says nothing of the code; and the first draw
# of a fresh clone, which has no `.hypothesis` folder yet, takes more than a second.
settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ours")

Result = TypeVar("Result")

# On a server that others use, too, no other run may have these names at the same time.
_TEMPLATE = f"ledger_test_{os.getpid()}_template"
_FOLDER_MARKERS = ("integration", "end_to_end", "faults")
_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Another PostgreSQL than the embedded one, for the tests that need no more than that."""
    parser.addoption(
        "--database-url",
        metavar="DSN",
        help="run the tests of conformance and integration on this PostgreSQL, as a superuser; "
        "databases ledger_test_… are made there, and dropped again",
    )


class PostgresServer(Protocol):
    """A running server, ours or one that was named."""

    @property
    def dsn(self) -> str:
        """The DSN of a database from which others can be made, as a superuser."""

    def dsn_of(self, database: str) -> str:
        """The DSN of another database on this server."""


class _NamedServer:
    """The server of `--database-url`. Whoever started it stops it."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    def dsn_of(self, database: str) -> str:
        return urlunsplit(urlsplit(self.dsn)._replace(path=f"/{database}"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The folder of a test says what it needs; nobody has to remember the marker."""
    root = Path(__file__).parent
    for item in items:
        folder = item.path.relative_to(root).parts[0]
        if folder in _FOLDER_MARKERS:
            item.add_marker(folder)


@pytest.fixture(autouse=True, scope="session")
def _no_settings_of_the_caller() -> None:
    for name in [name for name in os.environ if name.startswith("LEDGER_")]:
        del os.environ[name]


class _Administrator:
    """A connection in a thread of its own, for fixtures that run beside a test's event loop."""

    def __init__(self, dsn: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._connection = self.run(asyncpg.connect(dsn))

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def execute(self, statement: str) -> None:
        self.run(self._connection.execute(statement))

    def close(self) -> None:
        self.run(self._connection.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture(scope="session")
def postgres_server(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    _no_settings_of_the_caller: None,
) -> Iterator[PostgresServer]:
    """A PostgreSQL server, with the durability that it has by default."""
    named: str | None = request.config.getoption("--database-url")
    if named is not None:
        yield _NamedServer(named)
        return
    home = tmp_path_factory.mktemp("postgres")
    server = EmbeddedPostgres(home)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(home)


@pytest.fixture(scope="session")
def _administrator(postgres_server: PostgresServer) -> Iterator[_Administrator]:
    administrator = _Administrator(postgres_server.dsn)
    administrator.execute(f"CREATE DATABASE {_TEMPLATE}")
    administrator.run(_migrate(postgres_server.dsn_of(_TEMPLATE)))
    yield administrator
    administrator.execute(f"DROP DATABASE {_TEMPLATE} WITH (FORCE)")
    administrator.close()


async def _migrate(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await apply_migrations(connection)
    finally:
        await connection.close()


@pytest.fixture
def empty_database(
    postgres_server: PostgresServer, _administrator: _Administrator
) -> Iterator[str]:
    """The DSN of a new database without any table."""
    yield from _database(postgres_server, _administrator, "template0")


@pytest.fixture
def database(postgres_server: PostgresServer, _administrator: _Administrator) -> Iterator[str]:
    """The DSN of a new database with the current schema and no rows."""
    yield from _database(postgres_server, _administrator, _TEMPLATE)


@pytest.fixture
def other_database(
    postgres_server: EmbeddedPostgres, _administrator: _Administrator
) -> Iterator[str]:
    """Another one like `database`."""
    yield from _database(postgres_server, _administrator, _TEMPLATE)


def _database(
    server: PostgresServer, administrator: _Administrator, template: str
) -> Iterator[str]:
    name = f"ledger_test_{os.getpid()}_{next(_numbers)}"
    administrator.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield server.dsn_of(name)
    # A test may have left connections open, or cut them; they are not to keep the next waiting.
    administrator.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """A server that speaks as S3 does, without any bucket."""
    with running_s3() as server:
        yield server


@pytest.fixture(scope="session")
def kafka_server(
    tmp_path_factory: pytest.TempPathFactory, _no_settings_of_the_caller: None
) -> Iterator[str]:
    """The bootstrap servers of a Kafka broker. Topics are the test's own to name and make."""
    home = tmp_path_factory.mktemp("kafka")
    broker = EmbeddedKafka(home)
    broker.start()
    yield broker.bootstrap
    broker.stop()
    shutil.rmtree(home)
