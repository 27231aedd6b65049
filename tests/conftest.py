"""Fixtures for tests on real servers, started when the first test asks for one.

Every test gets a database of its own, cloned from a migrated template; nothing that one
test writes is seen by another. A module whose tests all begin with the same history writes it
once, and clones that. With `--database-url` these databases are made on that server, and
dropped again. LEDGER_… variables of the caller do not matter here.
"""

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from services.supervisor.embedded_kafka import EmbeddedKafka
from services.supervisor.embedded_postgres import EmbeddedPostgres
from tests.specs import worker_shares
from tests.specs.databases import EMPTY, Databases, NamedServer, PostgresServer, databases_on
from tests.specs.s3_server import S3Server, running_s3
from tests.specs.server_folders import folder_in_memory

# What a slow or loaded machine takes for an example says nothing of the code; and the first draw
# of a fresh clone, which has no `.hypothesis` folder yet, takes more than a second.
settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ours")

_FOLDER_MARKERS = ("integration", "end_to_end", "faults")
# A test's server keeps no WAL that nobody will read: it may lie in memory.
_LITTLE_WAL = {"min_wal_size": "32MB", "max_wal_size": "512MB"}
# Brokers live for seconds or minutes, in which the second compiler costs more than it saves.
_SHORT_LIVED_JAVA = "-XX:TieredStopAtLevel=1"
_numbers = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    """How workers share the tests."""
    if config.pluginmanager.hasplugin("xdist"):
        config.pluginmanager.register(worker_shares)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Another PostgreSQL than the embedded one, for the tests that need no more than that."""
    parser.addoption(
        "--database-url",
        metavar="DSN",
        help="run the tests of conformance and integration on this PostgreSQL, as a superuser; "
        "databases ledger_test_… are made there, and dropped again",
    )


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


@pytest.fixture(autouse=True, scope="session")
def _logs_are_not_set_up() -> Iterator[None]:
    """A command that runs in a test's own process must not quiet what later tests read there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.runtime.logging.configure_logging", lambda *_: None)
        yield


@pytest.fixture(autouse=True, scope="session")
def _brokers_are_short_lived() -> None:
    os.environ["JDK_JAVA_OPTIONS"] = _SHORT_LIVED_JAVA


@pytest.fixture(scope="session")
def server_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for the homes of servers, which is fast if it can be."""
    with folder_in_memory() as folder:
        yield folder or tmp_path_factory.mktemp("servers")


@pytest.fixture
def server_home(server_folder: Path) -> Iterator[Path]:
    """An empty folder for the servers of one test."""
    home = server_folder / f"home-{next(_numbers)}"
    home.mkdir()
    yield home
    shutil.rmtree(home)


@pytest.fixture(scope="session")
def postgres_server(
    request: pytest.FixtureRequest, server_folder: Path, _no_settings_of_the_caller: None
) -> Iterator[PostgresServer]:
    """A PostgreSQL server, which answers a commit when it is written, as by default."""
    named: str | None = request.config.getoption("--database-url")
    if named is not None:
        yield NamedServer(named)
        return
    home = server_folder / "postgres"
    server = EmbeddedPostgres(home, settings=_LITTLE_WAL)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(home)


@pytest.fixture(scope="session")
def databases(postgres_server: PostgresServer) -> Iterator[Databases]:
    """Makes a test's databases, and templates that a module prepares."""
    with databases_on(postgres_server) as databases:
        yield databases


@pytest.fixture
def empty_database(databases: Databases) -> Iterator[str]:
    """The DSN of a new database without any table."""
    with databases.clone(EMPTY) as dsn:
        yield dsn


@pytest.fixture
def database(databases: Databases) -> Iterator[str]:
    """The DSN of a new database with the current schema and no rows."""
    with databases.clone() as dsn:
        yield dsn


@pytest.fixture
def other_database(databases: Databases) -> Iterator[str]:
    """Another one like `database`."""
    with databases.clone() as dsn:
        yield dsn


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """A server that speaks as S3 does, without any bucket."""
    with running_s3() as server:
        yield server


@pytest.fixture(scope="session")
def kafka_server(server_folder: Path, _no_settings_of_the_caller: None) -> Iterator[str]:
    """The bootstrap servers of a Kafka broker. Topics are the test's own to name and make."""
    home = server_folder / "kafka"
    broker = EmbeddedKafka(home)
    broker.start()
    yield broker.bootstrap
    broker.stop()
    shutil.rmtree(home)
