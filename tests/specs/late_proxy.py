"""A TCP proxy that tells a client late, or not at all, what the server does."""

import asyncio
from contextlib import suppress
from types import TracebackType
from urllib.parse import urlsplit

import asyncpg

from services.runtime.postgres import Connection
from tests.specs.cutting_proxy import CuttingProxy


class LateProxy(CuttingProxy):
    """Forwards to the server of a database.

    While `flows` is cleared it forwards nothing, as if the server were frozen. After `end_session`
    it tells no more that the server has hung up.
    """

    def __init__(self, dsn: str) -> None:
        parts = urlsplit(dsn)
        assert parts.hostname is not None
        assert parts.port is not None
        super().__init__(parts.hostname, parts.port)
        self._direct = dsn
        self._server_port = parts.port
        self._has_hung_up = asyncio.Event()
        self._tells_ends = asyncio.Event()
        self._tells_ends.set()
        self.flows = asyncio.Event()
        self.flows.set()

    @property
    def dsn(self) -> str:
        """The database's, through the proxy."""
        return self._direct.replace(f":{self._server_port}", f":{self.port}", 1)

    async def end_session(self, connection: Connection) -> None:
        """Let the server end a session; what it says last has come, and the end has not."""
        self._has_hung_up.clear()
        self._tells_ends.clear()
        other = await asyncpg.connect(self._direct)
        try:
            await other.execute("SELECT pg_terminate_backend($1)", connection.get_server_pid())
        finally:
            await other.close()
        await self._has_hung_up.wait()
        # What was written into the client's socket is read in the next round of the loop.
        for _ in range(10):
            await asyncio.sleep(0)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop listening and drop every connection."""
        self.flows.set()
        self._tells_ends.set()
        await super().__aexit__(kind, error, trace)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection(*self._target)
        self._writers += [writer, to_server]

        async def answers() -> None:
            await self._forward(from_server, writer)
            self._has_hung_up.set()
            await self._tells_ends.wait()
            writer.close()

        answering = asyncio.create_task(answers())
        await self._forward(reader, to_server)
        to_server.close()
        writer.close()
        await answering

    async def _forward(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                await self.flows.wait()
                target.write(data)
