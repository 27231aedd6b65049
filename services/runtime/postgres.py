"""Connections to PostgreSQL, with TCP keepalives of seconds on both ends."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import asyncpg

from ledger.event_log.keepalive import SERVER_SETTINGS, keep_alive

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
else:  # the classes take parameters in their stubs only
    Connection = asyncpg.Connection
    Pool = asyncpg.Pool

UNUSABLE: Final = (asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What the driver itself says of a connection that is of no use any more.

The second, where the server has said that the session is over and not closed the connection yet.
"""
LOST: Final = (OSError, asyncpg.PostgresError, *UNUSABLE)
"""What a session raises that is then given up, and opened anew; a time limit, too."""

_GIVING_BACK_SECONDS: Final = 0.25
"""For giving back the connection of work that was cancelled, before whoever waits is told."""


async def connect(
    dsn: str, application_name: str, server_settings: Mapping[str, str] | None = None
) -> Connection:
    """Open one connection. Raises what asyncpg raises: `OSError`, `asyncpg.PostgresError`."""
    connection = await asyncpg.connect(
        dsn, server_settings=_settings(application_name, server_settings)
    )
    await keep_alive(connection)
    return connection


async def pool(
    dsn: str,
    application_name: str,
    *,
    min_size: int = 1,
    max_size: int = 4,
    server_settings: Mapping[str, str] | None = None,
) -> Pool:
    """Open a pool of connections. Raises what asyncpg raises."""
    return await asyncpg.create_pool(
        dsn,
        min_size=min_size,
        max_size=max_size,
        init=keep_alive,
        server_settings=_settings(application_name, server_settings),
    )


@asynccontextmanager
async def limited(seconds: float) -> AsyncIterator[None]:
    """A time limit for work with a pool, also if the server does not even answer a cancellation.

    The driver gives a connection back when the server has answered, however late. A second limit
    ends the waiting for that, and the connection is given back in the background. Raises
    `TimeoutError`.
    """
    async with asyncio.timeout(seconds + _GIVING_BACK_SECONDS), asyncio.timeout(seconds):
        yield


def _settings(application_name: str, more: Mapping[str, str] | None) -> dict[str, str]:
    return {
        **SERVER_SETTINGS,
        # What compares and sets counts on it, whatever a role or a database has as its default.
        "default_transaction_isolation": "read committed",
        "application_name": application_name,
        **(more or {}),
    }
