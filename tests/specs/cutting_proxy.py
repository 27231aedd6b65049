"""A TCP proxy that cuts a client off around one message of its own choosing."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Literal, Self

Moment = Literal["before_it_arrives", "after_the_answer"]


class CuttingProxy:
    """Forwards to a server; once armed, cuts the next connection that sends `word`."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._word: bytes | None = None
        self._moment: Moment = "before_it_arrives"
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self.port = 0
        self.cuts = 0

    def cut_on(self, word: bytes, moment: Moment) -> None:
        """Arm it."""
        self._word, self._moment = word, moment

    async def __aenter__(self) -> Self:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
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
            writer.close()
        for writer in self._writers:
            with suppress(OSError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            to_server_reader, to_server = await asyncio.open_connection(*self._target)
        except OSError:
            # The server is away, so whoever comes in its place is cut off, too.
            writer.close()
            return
        self._writers += [writer, to_server]
        is_cut = asyncio.Event()

        async def answers() -> None:
            with suppress(OSError):
                while data := await to_server_reader.read(65536):
                    if is_cut.is_set():
                        break
                    writer.write(data)
            writer.close()

        answering = asyncio.create_task(answers())
        with suppress(OSError):
            while data := await reader.read(65536):
                if self._word is not None and self._word in data:
                    self._word = None
                    self.cuts += 1
                    is_cut.set()
                    if self._moment == "after_the_answer":
                        to_server.write(data)
                        await answering
                    break
                to_server.write(data)
        to_server.close()
        writer.close()
        await answering
