"""The tables of a read model beside its live ones: in a schema of their own, by the same names.

They are made by the read model's own migrations. The session's search path finds them first,
so the projection's statements write them unchanged; the live ones are seen as `live_<table>`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import projections
from projections.interface import AnyProjection, Connection
from services.runtime.sql import load_statement

_LIVE_SCHEMA = "public"
_CHECKPOINTS = "projection_checkpoints"
_LOCK_TIMEOUT = "2s"

_TRY_LOCK = load_statement(__file__, "try_lock_rebuild")
_COPY_PRIVILEGES = load_statement(__file__, "copy_privileges")
_LOCK_LIVE_CHECKPOINTS = load_statement(__file__, "lock_live_checkpoints")
_COUNT_REBUILD = load_statement(__file__, "count_rebuild")


class RebuildRunningError(Exception):
    """Another rebuild of the same read model is at work."""


class Shadow:
    """One read model's second set of tables."""

    def __init__(self, projection: AnyProjection, connection: Connection) -> None:
        self._projection = projection
        self._connection = connection
        self._schema = f"rebuild_{projection.name}"
        self._retired_schema = f"retired_{projection.name}"

    async def create(self) -> None:
        """Make the tables, empty, in place of what an earlier attempt left behind.

        Raises `RebuildRunningError`.
        """
        if not await self._connection.fetchval(_TRY_LOCK, self._projection.name):
            raise RebuildRunningError(f"{self._projection.name} is being rebuilt already")
        await self.drop()
        await self._connection.execute(f"CREATE SCHEMA {self._schema}")
        await self._connection.execute(f"SET search_path TO {self._schema}")
        for migration in self._migrations():
            await self._connection.execute(migration.read_text(encoding="utf-8"))
        for table in (*self._projection.tables, _CHECKPOINTS):
            await self._connection.execute(
                f"CREATE VIEW live_{table} AS TABLE {_LIVE_SCHEMA}.{table}"
            )
        await self._connection.execute(f"SET search_path TO {self._schema}, {_LIVE_SCHEMA}")

    async def analyze(self) -> None:
        """Let the planner know the tables before anyone asks them."""
        for table in self._projection.tables:
            await self._connection.execute(f"ANALYZE {self._schema}.{table}")

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """A transaction in which nobody else reads or writes the live tables.

        Raises `asyncpg.LockNotAvailableError` if they are not to be had soon.
        """
        tables = ", ".join(f"{_LIVE_SCHEMA}.{table}" for table in self._projection.tables)
        async with self._connection.transaction():
            await self._connection.execute(f"SET LOCAL lock_timeout TO '{_LOCK_TIMEOUT}'")
            # Checkpoints first, as every batch does it.
            await self._connection.fetch(_LOCK_LIVE_CHECKPOINTS, self._projection.name)
            await self._connection.execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")
            yield

    async def take_over(self) -> None:
        """Put these tables where the live ones are, which are set aside, still in `locked`."""
        await self._connection.execute(f"CREATE SCHEMA {self._retired_schema}")
        for table in self._projection.tables:
            live, rebuilt = f"{_LIVE_SCHEMA}.{table}", f"{self._schema}.{table}"
            for row in await self._connection.fetch(_COPY_PRIVILEGES, live, rebuilt):
                await self._connection.execute(row["statement"])
            await self._connection.execute(f"ALTER TABLE {live} SET SCHEMA {self._retired_schema}")
            await self._connection.execute(f"ALTER TABLE {rebuilt} SET SCHEMA {_LIVE_SCHEMA}")
        await self._connection.execute(_COUNT_REBUILD, self._projection.name)

    async def drop(self) -> None:
        """Remove whatever is not live."""
        for schema in (self._schema, self._retired_schema):
            await self._connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")

    def _migrations(self) -> list[Path]:
        root = Path(projections.__file__ or "").parent
        folders = (root / "migrations", root / self._projection.name / "migrations")
        return [path for folder in folders for path in sorted(folder.glob("*.sql"))]
