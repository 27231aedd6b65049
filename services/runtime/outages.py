"""What a command says to a person when the database cannot be asked: a line, no traceback."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg

from services.runtime.dsn import server_of
from services.runtime.postgres import LOST, UNUSABLE, Connection, connect

LEDGER_DATABASE: Final = "LEDGER_DATABASE_URL, or sandbox.env"
"""Where a command has the DSN of the log's database from."""
VAULT_DATABASE: Final = "LEDGER_VAULT_DATABASE_URL, or sandbox.env"

_REFUSALS: Final = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)
_OUTAGES: Final = (
    ConnectionError,
    TimeoutError,
    socket.gaierror,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    *UNUSABLE,
)
DATABASE_FAILURES: Final = (*_OUTAGES, asyncpg.PostgresError)
"""What a server's session raises, and no file does."""


class DatabaseOutageError(Exception):
    """The database cannot be reached, or not now: a rebuild is taking tables over, or so."""


def told(error: Exception, dsn: str, named_by: str = LEDGER_DATABASE) -> str:
    """What a server's failure is said as: which server, by which setting, and why.

    Of the DSN, host, port and database only: it may have a password.
    """
    server = f"PostgreSQL at {server_of(dsn)} ({named_by})"
    why = (isinstance(error, OSError) and error.strerror) or str(error) or repr(error)
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return f"{server} does not let this login do that: {why}"
    if isinstance(error, _REFUSALS):
        return f"{server} refuses the connection: {why}"
    if isinstance(error, _OUTAGES):
        return f"{server} cannot be asked now, try again: {why}"
    return f"{server}: {why}"


@contextmanager
def said_as_outages(dsn: str) -> Iterator[None]:
    """Raise `DatabaseOutageError` for what time may heal, another login, or another DSN."""
    try:
        yield
    except (asyncpg.InsufficientPrivilegeError, *_REFUSALS, *_OUTAGES) as error:
        raise DatabaseOutageError(told(error, dsn)) from error


async def reach(dsn: str, application_name: str, named_by: str = LEDGER_DATABASE) -> Connection:
    """Do `connect`. Raises `DatabaseOutageError`, whatever the reason."""
    try:
        return await connect(dsn, application_name)
    except LOST as error:
        raise DatabaseOutageError(told(error, dsn, named_by)) from error
