"""Migrations: numbered SQL files of the log, then of the projections, applied in order.

Each file is applied once, in a transaction of its own, and never edited afterwards: what
was applied is remembered by its SHA-256.
"""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import asyncpg

import ledger
import projections
from services.runtime.postgres import Connection
from services.runtime.sql import load_statement

_LOCK_KEY = int.from_bytes(b"migrate", "big")

_CREATE = load_statement(__file__, "create_schema_migrations")
_READ = load_statement(__file__, "read_schema_migrations")
_RECORD = load_statement(__file__, "record_schema_migration")
_LOCK = load_statement(__file__, "lock_schema_migrations")
_UNLOCK = load_statement(__file__, "unlock_schema_migrations")


class MigrationError(Exception):
    """The schema could not be brought up to date. The message names the migration."""


class Migration(NamedTuple):
    """One file. Its name carries its folder: `event_log/0001_ledger.sql`."""

    name: str
    sql: bytes

    @property
    def sha256(self) -> bytes:
        """What tells the file from an edited one."""
        return hashlib.sha256(self.sql).digest()


def all_migrations() -> list[Migration]:
    """Every migration of this release, in the order in which they are applied."""
    ledger_root, projections_root = (
        Path(package.__file__ or "").parent for package in (ledger, projections)
    )
    folders = [
        ledger_root / "event_log" / "migrations",
        projections_root / "migrations",
        *sorted(projections_root.glob("*/migrations")),
    ]
    return [
        Migration(name=f"{folder.parent.name}/{path.name}", sql=path.read_bytes())
        for folder in folders
        for path in sorted(folder.glob("*.sql"))
    ]


async def apply_migrations(
    connection: Connection, migrations: Sequence[Migration] | None = None
) -> list[str]:
    """Apply the migrations that are missing, and say which. Others wait meanwhile.

    Raises `MigrationError` if an applied file was edited since, or if one fails; those
    before it stay applied. Migrations that only a newer release knows are let be.
    """
    if migrations is None:
        migrations = all_migrations()
    async with turn(connection):
        await connection.execute(_CREATE)
        applied = {row["name"]: row["sha256"] for row in await connection.fetch(_READ)}
        for migration in migrations:
            if applied.get(migration.name, migration.sha256) != migration.sha256:
                message = f"{migration.name} was edited after it was applied; write a new migration"
                raise MigrationError(message)
        missing = [migration for migration in migrations if migration.name not in applied]
        for migration in missing:
            await _apply(connection, migration)
        return [migration.name for migration in missing]


@asynccontextmanager
async def turn(connection: Connection) -> AsyncIterator[None]:
    """The right to change this database's schema; others wait meanwhile."""
    await connection.execute(_LOCK, _LOCK_KEY)
    try:
        yield
    finally:
        await connection.execute(_UNLOCK, _LOCK_KEY)


async def _apply(connection: Connection, migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute(migration.sql.decode("utf-8"))
            await connection.execute(_RECORD, migration.name, migration.sha256)
    except asyncpg.PostgresError as error:
        message = f"{migration.name} failed: {error}"
        raise MigrationError(message) from error
