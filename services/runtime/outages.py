"""What a command says to a person while the database cannot be asked: a line, no traceback."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg

from services.runtime.postgres import UNUSABLE

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


class DatabaseOutageError(Exception):
    """The database cannot be reached, or not now: a rebuild is taking tables over, or so."""


@contextmanager
def said_as_outages() -> Iterator[None]:
    """Raise `DatabaseOutageError` for what time may heal, or a login with more rights."""
    try:
        yield
    except asyncpg.InsufficientPrivilegeError as error:
        message = f"the database's login may not do this: {error}"
        raise DatabaseOutageError(message) from error
    except _OUTAGES as error:
        message = f"the database cannot be asked now, try again: {str(error) or repr(error)}"
        raise DatabaseOutageError(message) from error
