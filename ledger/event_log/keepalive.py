"""TCP keepalives of seconds on both ends of a connection to PostgreSQL.

A peer that vanished without a word (a stopped machine, a cut cable) is noticed within
`DEAD_PEER_SECONDS`, so that neither side waits for the other, or holds a lock, for hours.
An append has no time limit of its own, so this is what ends one that nobody will answer.
"""

import socket
from typing import Any, cast

import asyncpg

_IDLE_SECONDS = 5
_INTERVAL_SECONDS = 2
_PROBES = 3
DEAD_PEER_SECONDS = _IDLE_SECONDS + _INTERVAL_SECONDS * _PROBES

SERVER_SETTINGS = {
    "tcp_keepalives_idle": str(_IDLE_SECONDS),
    "tcp_keepalives_interval": str(_INTERVAL_SECONDS),
    "tcp_keepalives_count": str(_PROBES),
    "tcp_user_timeout": str(DEAD_PEER_SECONDS * 1000),
}
"""The server's end, as settings of the session."""


async def keep_alive(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Set up the client's end of an open connection."""
    # asyncpg has no option for it, so its transport is asked for the socket.
    transport = cast("Any", connection)._transport  # noqa: SLF001
    tcp = transport.get_extra_info("socket")
    if tcp is None or tcp.family == socket.AF_UNIX:
        return
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _IDLE_SECONDS)
    tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _INTERVAL_SECONDS)
    tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)
    tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_PEER_SECONDS * 1000)
