"""Streams: a body that is read line by line, and an answer that goes out in pieces meanwhile."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import Final, Literal

from aiohttp import HttpVersion11, StreamReader, web
from aiohttp.abc import AbstractStreamWriter

from services.gateway.answers import Answer, date_line
from services.gateway.requests import MAX_SILENCE_SECONDS, stopped_coming

MAX_LINES_AT_ONCE: Final = 1_000
_OK: Final = b"HTTP/1.1 200 OK\r\n"
_LAST_CHUNK: Final = b"0\r\n\r\n"
_LINGERING_S: Final = 2.0


class StreamedAnswer(Answer):
    """A 200 whose body is sent while the handler is at work; its end when it has returned."""

    def __init__(self, request: web.BaseRequest, headers_bytes: bytes) -> None:
        """Send the head. `headers_bytes` has all the headers, the request's id too."""
        super().__init__(200, headers_bytes)
        self._request = request
        # The answer to a HEAD has no body, so it has no end either: nothing is to be sent.
        self._is_chunked = request.version == HttpVersion11 and request.method != "HEAD"
        self._stays_open = self._is_chunked and request.keep_alive is True
        self._has_ended = False
        framing = b"Transfer-Encoding: chunked\r\n" if self._is_chunked else b""
        closing = b"" if self._stays_open else b"Connection: close\r\n"
        head = (_OK, headers_bytes, framing, date_line(), closing, b"\r\n")
        if request.transport is not None:
            request.transport.write(b"".join(head))

    async def send(self, data: bytes) -> None:
        """Send a piece of the body, and wait while the client is slow to take it.

        Raises `ConnectionError` when the client is gone.
        """
        if data:
            self._write(b"%x\r\n%b\r\n" % (len(data), data) if self._is_chunked else data)
            await self._request.writer.drain()

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send the end. aiohttp calls this when the handler has returned."""
        if request.transport is not None:
            self._end()
        return None

    async def end_early(self) -> None:
        """Send the end while the client may still be sending, and let it read what was sent.

        The connection is closed afterwards. What has come and was not read would then take
        from the client what is on its way to it, so it is read for a while, and thrown away.
        Raises `ConnectionError` when the client is gone.
        """
        self._end()
        self._stays_open = False
        try:
            async with asyncio.timeout(_LINGERING_S):
                while await self._request.content.readany():
                    pass
        except (TimeoutError, web.RequestPayloadError):
            return

    def abort(self) -> None:
        """Break the connection, so that nobody takes what was sent for the whole."""
        if self._request.transport is not None:
            self._request.transport.abort()

    def _end(self) -> None:
        if self._is_chunked and not self._has_ended:
            self._write(_LAST_CHUNK)
        self._has_ended = True

    def _write(self, data: bytes) -> None:
        transport = self._request.transport
        if transport is None:
            raise ConnectionResetError("the client is gone")
        transport.write(data)


class StoppingError(Exception):
    """The process is stopping, so no more of a body is read."""


async def cut_into_lines(
    body: StreamReader, max_line_bytes: int, stopping: asyncio.Event
) -> AsyncGenerator[Sequence[bytes | None]]:
    """The lines of a body, as many at once as have come; None stands for one that is too long.

    Raises `web.RequestPayloadError` where the body is broken off, `StoppingError` instead of
    giving more when `stopping` is set, also while nothing comes, and `RefusedError` when nothing
    comes for too long. There is no limit to all of it: as long as lines come, they are read.
    """
    lines = Lines(max_line_bytes)
    stop = asyncio.ensure_future(stopping.wait())
    try:
        while data := await _read_unless(stop, body):
            for at_once in _in_parts(lines.feed(data)):
                if stopping.is_set():
                    raise StoppingError
                yield at_once
        if last := lines.end():
            yield last
    finally:
        stop.cancel()


async def _read_unless(stop: asyncio.Future[Literal[True]], body: StreamReader) -> bytes:
    if stop.done() and not body.at_eof():
        raise StoppingError
    reading = asyncio.ensure_future(body.readany())
    try:
        done, _ = await asyncio.wait(
            (stop, reading), timeout=MAX_SILENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
    except asyncio.CancelledError:
        reading.cancel()
        raise
    if reading in done:
        return reading.result()
    # Nobody else may read before this one has let go.
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    if stop in done:
        raise StoppingError
    raise stopped_coming()


def _in_parts(lines: Sequence[bytes | None]) -> Iterator[Sequence[bytes | None]]:
    for start in range(0, len(lines), MAX_LINES_AT_ONCE):
        yield lines[start : start + MAX_LINES_AT_ONCE]


class Lines:
    """Cuts what comes into lines, and keeps no more of an unfinished one than it may have."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._begun = bytearray()

    def feed(self, data: bytes) -> list[bytes | None]:
        """The lines that this piece ends; None stands for one that is too long."""
        first, *others = data.split(b"\n")
        self._keep(first)
        lines: list[bytes | None] = []
        for part in others:
            lines.append(self._whole())
            self._keep(part)
        return lines

    def end(self) -> list[bytes | None]:
        """The last line, if no line feed ended it."""
        return [self._whole()] if self._begun else []

    def _keep(self, part: bytes) -> None:
        # One byte over the limit is enough to know that it is too long.
        self._begun += part[: self._max_bytes + 1 - len(self._begun)]

    def _whole(self) -> bytes | None:
        line = bytes(self._begun) if len(self._begun) <= self._max_bytes else None
        self._begun.clear()
        return line
