"""Connections to PostgreSQL, with TCP keepalives of seconds on both ends.

A peer that vanished without a word (a stopped machine, a cut cable) is noticed within
`DEAD_PEER_SECONDS`, so that neither side waits for the other, or holds a lock, for hours.
"""

import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import asyncpg

_IDLE_SECONDS = 5
_INTERVAL_SECONDS = 2
_PROBES = 3
DEAD_PEER_SECONDS = _IDLE_SECONDS + _INTERVAL_SECONDS * _PROBES

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
else:  # the classes take parameters in their stubs only
    Connection = asyncpg.Connection
    Pool = asyncpg.Pool

_SERVER_SETTINGS = {
    "tcp_keepalives_idle": str(_IDLE_SECONDS),
    "tcp_keepalives_interval": str(_INTERVAL_SECONDS),
    "tcp_keepalives_count": str(_PROBES),
    "tcp_user_timeout": str(DEAD_PEER_SECONDS * 1000),
}


async def connect(
    dsn: str, application_name: str, server_settings: Mapping[str, str] | None = None
) -> Connection:
    """Open one connection. Raises what asyncpg raises: `OSError`, `asyncpg.PostgresError`."""
    connection = await asyncpg.connect(
        dsn, server_settings=_settings(application_name, server_settings)
    )
    await _keep_alive(connection)
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
        init=_keep_alive,
        server_settings=_settings(application_name, server_settings),
    )


def _settings(application_name: str, more: Mapping[str, str] | None) -> dict[str, str]:
    return {**_SERVER_SETTINGS, "application_name": application_name, **(more or {})}


async def _keep_alive(connection: Connection) -> None:
    # asyncpg has no option for the client's end, so its transport is asked for the socket.
    transport = cast("Any", connection)._transport  # noqa: SLF001
    tcp = transport.get_extra_info("socket")
    if tcp is None or tcp.family == socket.AF_UNIX:
        return
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _IDLE_SECONDS)
    tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _INTERVAL_SECONDS)
    tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)
    tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_PEER_SECONDS * 1000)
