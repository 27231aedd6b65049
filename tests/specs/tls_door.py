"""TLS in front of a PostgreSQL that was built without it, as the embedded one is.

Clients meet PostgreSQL's own way to TLS: a request in the clear, a letter, a handshake.
Whoever does not ask for TLS is turned away.
"""

import asyncio
import ssl
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

_SSL_REQUEST = bytes.fromhex("0000000804d2162f")


class TlsDoor:
    """Forwards to the server of a DSN."""

    def __init__(self, dsn: str, certificate: Path) -> None:
        self._dsn = urlsplit(dsn)
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificate)
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self._serving: set[asyncio.Task[None]] = set()
        self._port = 0
        self.sessions = 0
        """How many clients came in by TLS."""
        self.turned_away = 0
        """How many did not ask for it, or did not like the certificate."""

    def dsn(self, ca_file: Path, *, password: str | None = None) -> str:
        """The DSN through the door, with `sslmode=verify-full`."""
        secret = self._dsn.password if password is None else password
        return urlunsplit(
            self._dsn._replace(
                netloc=f"{self._dsn.username}:{secret}@127.0.0.1:{self._port}",
                query=f"sslmode=verify-full&sslrootcert={ca_file}",
            )
        )

    async def __aenter__(self) -> Self:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop listening and drop every connection."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            # Python 3.11.2, which Debian 12 has, cannot abort one that is closed.
            with suppress(AttributeError):
                writer.transport.abort()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        self._writers.append(writer)
        try:
            await self._serve(reader, writer)
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked = await reader.readexactly(len(_SSL_REQUEST))
            if asked != _SSL_REQUEST:
                self.turned_away += 1
                return
            writer.write(b"S")
            await writer.drain()
            await writer.start_tls(self._context)
        except (OSError, asyncio.IncompleteReadError):
            self.turned_away += 1
            return
        self.sessions += 1
        assert self._dsn.port is not None
        inside, to_server = await asyncio.open_connection(self._dsn.hostname, self._dsn.port)
        self._writers.append(to_server)
        await asyncio.gather(_forward(reader, to_server), _forward(inside, writer))


async def _forward(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
    target.close()
