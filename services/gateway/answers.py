"""Answers: a status, headers and a body, written to the client's connection in one piece.

aiohttp's own responses build a header map and write head and body apart, which costs a
third of what a whole request may cost here. An `Answer` keeps its headers as bytes that
are mostly made once, and its body as bytes that were rendered already.
"""

import time
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter

# Balances and names are for who asked, and a browser must not take JSON for a page.
_NOT_KEPT: Final = b"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
JSON: Final = b"Content-Type: application/json\r\n" + _NOT_KEPT
PROBLEM_JSON: Final = b"Content-Type: application/problem+json\r\n" + _NOT_KEPT

# Above this the body waits for a slow client to take it instead of filling memory.
_LARGE_BODY_BYTES: Final = 65_536

_STATUS_LINES: Final = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


def header(name: str, value: str) -> bytes:
    """One header line. The value must not hold a line break: it would become a header."""
    assert not {"\r", "\n"} & set(value), f"the value of {name} breaks the line"
    return f"{name}: {value}\r\n".encode("latin-1")


def etag(version: int) -> bytes:
    """The header line that carries a wallet's stream version."""
    return b'ETag: "%d"\r\n' % version


class _Date:
    """The `Date` header line, made anew once a second."""

    __slots__ = ("_line", "_second")

    def __init__(self) -> None:
        self._second = 0
        self._line = b""

    def line(self) -> bytes:
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._line = b"Date: %s\r\n" % formatdate(second, usegmt=True).encode()
        return self._line


_DATE: Final = _Date()


def date_line() -> bytes:
    """The header line that says when an answer begins."""
    return _DATE.line()


class Answer(web.StreamResponse):
    """What a handler returns. `headers_bytes` are whole lines, each with its line break."""

    code: str | None = None
    """Why a call was refused, declined or failed, for the log. An answer of success has none, and
    pays nothing for it: it stands in the class."""

    def __init__(self, status: int, headers_bytes: bytes = b"", body_bytes: bytes = b"") -> None:
        super().__init__(status=status)
        self.headers_bytes = headers_bytes
        self.body_bytes = body_bytes
        self._stays_open = False

    @property
    def keep_alive(self) -> bool | None:
        """Whether the connection serves another request after this one."""
        return self._stays_open

    @property
    def prepared(self) -> bool:
        """False: nothing is ever sent before the whole answer is."""
        return False

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send everything. aiohttp calls this when the handler has returned."""
        transport = request.transport
        if transport is None:
            return None
        self._stays_open = request.keep_alive
        connection = b""
        if request.version != HttpVersion11:
            connection = b"Connection: keep-alive\r\n" if self._stays_open else b""
        elif not self._stays_open:
            connection = b"Connection: close\r\n"
        body = self.body_bytes
        # 304 has no body and no length of its own; HEAD has the length but not the body.
        length = b"" if self.status == 304 else b"Content-Length: %d\r\n" % len(body)
        if request.method == "HEAD":
            body = b""
        transport.write(
            b"".join(
                (
                    _STATUS_LINES[self.status],
                    self.headers_bytes,
                    length,
                    _DATE.line(),
                    connection,
                    b"\r\n",
                    body,
                )
            )
        )
        if len(body) > _LARGE_BODY_BYTES:
            await request.writer.drain()
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to write after `prepare`."""
        assert not data, "an answer is complete when it is made"


def invite_body(request: web.BaseRequest) -> None:
    """Tell a client that waits for it (`Expect: 100-continue`) to send the body."""
    transport = request.transport
    if transport is not None and request.headers.get("Expect", "").lower() == "100-continue":
        transport.write(_CONTINUE)
