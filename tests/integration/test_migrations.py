"""The schema is what the migrations make, whoever applies them, and however often."""

import asyncio

import pytest

from services.runtime.migrations import (
    Migration,
    MigrationError,
    all_migrations,
    apply_migrations,
)
from services.runtime.postgres import connect

_TABLES = """
SELECT table_name, column_name, data_type FROM information_schema.columns
WHERE table_schema = 'public' ORDER BY 1, 2
"""


async def test_applying_twice_is_applying_once(empty_database: str) -> None:
    connection = await connect(empty_database, "test")
    try:
        first = await apply_migrations(connection)
        made = await connection.fetch(_TABLES)
        second = await apply_migrations(connection)

        assert first == [migration.name for migration in all_migrations()]
        assert first[0] == "event_log/0001_ledger.sql"
        assert second == []
        assert await connection.fetch(_TABLES) == made
    finally:
        await connection.close()


async def test_several_at_once_take_turns(empty_database: str) -> None:
    connections = [await connect(empty_database, "test") for _ in range(4)]
    try:
        applied = await asyncio.gather(*map(apply_migrations, connections))

        assert sorted(map(len, applied)) == [0, 0, 0, len(all_migrations())]
    finally:
        for connection in connections:
            await connection.close()


async def test_an_edited_migration_is_refused(empty_database: str) -> None:
    connection = await connect(empty_database, "test")
    try:
        await apply_migrations(connection, [Migration("a/0001.sql", b"CREATE TABLE a ()")])

        with pytest.raises(MigrationError, match=r"a/0001\.sql was edited"):
            await apply_migrations(connection, [Migration("a/0001.sql", b"CREATE TABLE b ()")])
        assert await connection.fetchval("SELECT to_regclass('b')") is None
    finally:
        await connection.close()


async def test_a_failing_migration_leaves_nothing_of_itself(empty_database: str) -> None:
    connection = await connect(empty_database, "test")
    good = Migration("a/0001.sql", b"CREATE TABLE a ()")
    bad = Migration("a/0002.sql", b"CREATE TABLE b (); SELECT 1/0")
    mended = Migration("a/0002.sql", b"CREATE TABLE b ()")
    try:
        with pytest.raises(MigrationError, match=r"a/0002\.sql failed: division by zero"):
            await apply_migrations(connection, [good, bad])

        assert await connection.fetchval("SELECT to_regclass('a')") == "a"
        assert await connection.fetchval("SELECT to_regclass('b')") is None
        assert await apply_migrations(connection, [good, mended]) == ["a/0002.sql"]
    finally:
        await connection.close()
