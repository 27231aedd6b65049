"""What each role of the database may do, granted as it is documented, and refused beyond that."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from services.relay import leadership
from services.runtime.database_roles import (
    LEDGER_ROLES,
    RolesMissingError,
    grant_if_possible,
    grant_roles,
    role_names,
)
from services.runtime.migrations import apply_migrations
from services.runtime.postgres import Connection
from services.runtime.sql import load_statement
from services.vault.schema import migrate_vault
from tests.specs.database_roles import as_role, documented, granted
from tests.specs.databases import EMPTY, Databases

REFUSED = [
    *(
        (role, statement)
        for role in role_names(LEDGER_ROLES)
        for statement in (
            "UPDATE events SET type = type",
            "DELETE FROM events",
            "TRUNCATE events",
            "UPDATE appends SET hash = hash",
            "DELETE FROM command_outcomes",
            "ALTER TABLE events DISABLE TRIGGER ALL",
            "DROP TABLE events",
            "CREATE TABLE more ()",
            "CREATE SCHEMA more",
            "DROP FUNCTION refuse_change() CASCADE",
            "ALTER TABLE events OWNER TO CURRENT_USER",
            "DELETE FROM balances",
            "UPDATE transactions SET amount = 1",
            "UPDATE tenants SET environment = 'live'",
            "UPDATE credentials SET secret_hash = secret_hash",
            "DELETE FROM credentials",
            "UPDATE schema_migrations SET sha256 = sha256",
        )
    ),
    *(
        ("ledger_writer", statement)
        for statement in (
            "UPDATE balances SET balance = 0",
            "INSERT INTO transaction_progress VALUES (gen_random_uuid(), gen_random_uuid(), 1)",
            "UPDATE projection_checkpoints SET position = 0",
            "UPDATE relay_progress SET published_position = 0",
            "UPDATE customers SET user_id = gen_random_uuid()",
            "DELETE FROM snapshots",
            "INSERT INTO merchants VALUES (gen_random_uuid(), 'Mallory')",
        )
    ),
    *(
        ("ledger_projector", statement)
        for statement in (
            "INSERT INTO events SELECT * FROM events",
            "INSERT INTO appends SELECT * FROM appends",
            "SELECT FROM credentials",
            "SELECT FROM customers",
            "UPDATE relay_progress SET published_position = 0",
        )
    ),
    *(
        ("ledger_relay", statement)
        for statement in (
            "INSERT INTO events SELECT * FROM events",
            "SELECT FROM balances",
            "SELECT FROM credentials",
            "DELETE FROM relay_progress",
        )
    ),
    *(
        ("ledger_scheduler", statement)
        for statement in (
            "SELECT FROM credentials",
            "INSERT INTO events SELECT * FROM events",
            "UPDATE holds SET amount = 1",
        )
    ),
    *(
        ("ledger_reader", statement)
        for statement in (
            "SELECT secret_hash FROM credentials",
            "UPDATE customers SET identity_index = NULL",
            "INSERT INTO events SELECT * FROM events",
            "UPDATE balances SET balance = 0",
        )
    ),
    *(
        ("ledger_administrator", statement)
        for statement in (
            "UPDATE credentials SET scopes = scopes",
            "UPDATE balances SET balance = 0",
            "UPDATE merchants SET name = name",
        )
    ),
]


async def _grant(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await grant_roles(connection, LEDGER_ROLES)
    await connection.close()


@pytest.fixture(scope="module")
def granted_once(databases: Databases) -> Iterator[str]:
    with databases.prepare(_grant) as prepared:
        yield prepared.name


@pytest.fixture(scope="module")
def vault_once(databases: Databases) -> Iterator[str]:
    with databases.prepare(migrate_vault, EMPTY) as prepared:
        yield prepared.name


@pytest.fixture
def database(databases: Databases, granted_once: str) -> Iterator[str]:
    """A database where the roles have their privileges."""
    with databases.clone(granted_once) as dsn:
        yield dsn


@pytest.fixture
async def owner(database: str) -> AsyncIterator[Connection]:
    """A connection of who owns the tables."""
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


@pytest.fixture
async def vault(databases: Databases, vault_once: str) -> AsyncIterator[Connection]:
    """The same of a key store."""
    with databases.clone(vault_once) as dsn:
        connection = await asyncpg.connect(dsn)
        yield connection
        await connection.close()


async def test_every_table_is_granted_as_it_is_documented(owner: Connection) -> None:
    assert await granted(owner) == documented("The log and the read models")


async def test_every_table_of_the_vault_is_granted_as_it_is_documented(vault: Connection) -> None:
    assert await granted(vault) == documented("The vault")


async def test_a_table_without_a_decision_is_noticed(owner: Connection) -> None:
    await owner.execute("CREATE TABLE forgotten ()")

    found = await granted(owner)

    assert found.keys() - documented("The log and the read models").keys() == {"forgotten"}
    assert found["forgotten"] == {}


@pytest.mark.parametrize(("role", "statement"), REFUSED)
async def test_what_is_not_granted_is_refused(owner: Connection, role: str, statement: str) -> None:
    await owner.execute(f"SET ROLE {role}")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await owner.execute(statement)


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("role", role_names(LEDGER_ROLES))
async def test_no_process_of_the_ledger_reads_the_vault(vault: Connection, role: str) -> None:
    await vault.execute(f"SET ROLE {role}")

    for statement in ("SELECT FROM customer_keys", "SELECT FROM active_master_key"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await vault.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM active_master_key",
        "TRUNCATE customer_keys",
        "DROP TRIGGER customer_keys_stay ON customer_keys",
        "CREATE TABLE more ()",
        "UPDATE schema_migrations SET sha256 = sha256",
    ],
)
async def test_whoever_uses_the_vault_cannot_lose_a_key(vault: Connection, statement: str) -> None:
    await vault.execute("SET ROLE ledger_vault")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await vault.execute(statement)


async def test_granting_again_changes_nothing_and_takes_back_what_was_given_by_hand(
    owner: Connection,
) -> None:
    before = await granted(owner)
    await owner.execute("GRANT UPDATE, DELETE ON events TO ledger_projector")
    await owner.execute("GRANT UPDATE (type) ON events TO ledger_relay")
    assert await granted(owner) != before

    assert await grant_roles(owner, LEDGER_ROLES) == []

    assert await granted(owner) == before


@pytest.mark.usefixtures("owner")
async def test_a_session_can_be_told_its_role(database: str) -> None:
    """What the other tests stand on: a session that is told its role has that one's rights."""
    connection = await asyncpg.connect(as_role(database, "ledger_reader"))
    try:
        assert await connection.fetchval("SELECT current_user") == "ledger_reader"
    finally:
        await connection.close()


async def test_a_standby_ends_a_stuck_leader_of_the_same_login(
    owner: Connection, database: str
) -> None:
    """It sees and ends nobody else's session, so all relays share one login."""
    await owner.execute("CREATE ROLE relay_of_a_test LOGIN PASSWORD 'p' IN ROLE ledger_relay")
    server = urlsplit(database)
    dsn = f"postgresql://relay_of_a_test:p@{server.hostname}:{server.port}{server.path}"
    evict = load_statement(leadership.__file__, "evict_stuck_leader")
    leader, standby = await asyncpg.connect(dsn), await asyncpg.connect(dsn)
    try:
        stuck = asyncio.create_task(leader.execute("SELECT pg_advisory_lock(1, 2), pg_sleep(60)"))
        async with asyncio.timeout(30):
            while not (found := await standby.fetch(evict, 1, 2, timedelta(0))):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

        assert [row["ended"] for row in found] == [True]
        with pytest.raises(asyncpg.ConnectionDoesNotExistError):
            await stuck
    finally:
        leader.terminate()
        await standby.close()
        await owner.execute("DROP ROLE relay_of_a_test")


async def test_who_may_not_make_roles_is_told_and_nothing_is_granted(
    owner: Connection, tmp_path: Path
) -> None:
    """The role of this test is known to no server, and another asks than a superuser."""
    (tmp_path / "ledger_of_nobody.sql").write_text("SELECT 1/0")
    await owner.execute("SET ROLE ledger_reader")

    with pytest.raises(RolesMissingError, match="CREATE ROLE ledger_of_nobody NOLOGIN;"):
        await grant_roles(owner, tmp_path)
    (said,) = await grant_if_possible(owner, tmp_path)

    assert said.startswith("roles are left out: the role ledger_reader may not make roles")


@pytest.fixture
async def second_ledger(owner: Connection, databases: Databases) -> AsyncIterator[Connection]:
    """A connection of a login that owns another database of the server, and may do no more."""
    await owner.execute("CREATE ROLE second_ledger LOGIN PASSWORD 'p'")
    try:
        with databases.clone(EMPTY) as dsn:
            server = urlsplit(dsn)
            database = server.path.removeprefix("/")
            await owner.execute(f"ALTER DATABASE {database} OWNER TO second_ledger")
            netloc = f"second_ledger:p@{server.hostname}:{server.port}"
            connection = await asyncpg.connect(server._replace(netloc=netloc).geturl())
            await apply_migrations(connection)
            yield connection
            await connection.close()
    finally:
        await owner.execute("DROP ROLE second_ledger")


async def test_a_second_ledger_of_a_server_needs_no_right_over_its_roles(
    second_ledger: Connection,
) -> None:
    assert await grant_roles(second_ledger, LEDGER_ROLES) == []

    assert await granted(second_ledger) == documented("The log and the read models")


async def test_who_may_not_join_roles_is_told_what_a_superuser_has_to_say(
    owner: Connection, second_ledger: Connection
) -> None:
    """Made by hand, the administrator's role is not a member of the writer's yet."""
    await owner.execute("REVOKE ledger_writer FROM ledger_administrator")
    try:
        (said,) = await grant_if_possible(second_ledger, LEDGER_ROLES)
        found = await granted(second_ledger)
    finally:
        await owner.execute("GRANT ledger_writer TO ledger_administrator")

    assert said.startswith('roles are left out: permission denied to grant role "ledger_writer"')
    assert said.endswith("GRANT ledger_writer TO ledger_administrator;")
    assert not any(found.values())
    assert await grant_roles(second_ledger, LEDGER_ROLES) == []


async def test_what_cannot_be_granted_leaves_the_old_privileges(
    owner: Connection, tmp_path: Path
) -> None:
    before = await granted(owner)
    (tmp_path / "ledger_reader.sql").write_text(
        "DO $$ BEGIN REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ledger_reader;"
        " GRANT SELECT ON no_such_table TO ledger_reader; END $$"
    )

    with pytest.raises(asyncpg.UndefinedTableError):
        await grant_roles(owner, tmp_path)

    assert await granted(owner) == before
