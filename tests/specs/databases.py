"""The databases of tests: each is a clone of a template, and dropped after the test."""

import asyncio
import itertools
import os
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Generic, NamedTuple, Protocol, TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from services.runtime.migrations import apply_migrations

EMPTY = "template0"
"""The template without any table."""

Result = TypeVar("Result")

_numbers = itertools.count(1)


class PostgresServer(Protocol):
    """A running server, ours or one that was named."""

    @property
    def dsn(self) -> str:
        """The DSN of a database from which others can be made, as a superuser."""

    def dsn_of(self, database: str) -> str:
        """The DSN of another database on this server."""


class NamedServer:
    """The server of `--database-url`. Whoever started it stops it."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    def dsn_of(self, database: str) -> str:
        """See `PostgresServer`."""
        return urlunsplit(urlsplit(self.dsn)._replace(path=f"/{database}"))


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


class Prepared(NamedTuple, Generic[Result]):
    """A database that is only cloned, and what was said of it when it was filled."""

    name: str
    known: Result


class Databases:
    """Makes databases, and drops them."""

    def __init__(
        self, server: PostgresServer, administrator: _Administrator, migrated: str
    ) -> None:
        self._server = server
        self._administrator = administrator
        self._migrated = migrated

    @contextmanager
    def clone(self, template: str | None = None) -> Iterator[str]:
        """The DSN of a new database that has what the template has: the schema, unless named."""
        with self._made(template or self._migrated) as name:
            yield self._server.dsn_of(name)

    @contextmanager
    def prepare(
        self, fill: Callable[[str], Coroutine[Any, Any, Result]], template: str | None = None
    ) -> Iterator[Prepared[Result]]:
        """A template: a database like another template, with the schema unless named, and filled.

        `fill` runs beside any test's event loop, and closes what it connects.
        """
        with self._made(template or self._migrated) as name:
            yield Prepared(name, self._administrator.run(fill(self._server.dsn_of(name))))

    @contextmanager
    def _made(self, template: str) -> Iterator[str]:
        name = f"ledger_test_{os.getpid()}_{next(_numbers)}"
        self._administrator.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield name
        # A test may have left connections open, or cut them; they are not to keep the next waiting.
        self._administrator.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def databases_on(server: PostgresServer) -> Iterator[Databases]:
    """Databases of this process: no other has these names on a server that others use, too."""
    migrated = f"ledger_test_{os.getpid()}_template"
    administrator = _Administrator(server.dsn)
    administrator.execute(f"CREATE DATABASE {migrated}")
    administrator.run(_migrate(server.dsn_of(migrated)))
    yield Databases(server, administrator, migrated)
    administrator.execute(f"DROP DATABASE {migrated} WITH (FORCE)")
    administrator.close()


async def _migrate(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await apply_migrations(connection)
    finally:
        await connection.close()
