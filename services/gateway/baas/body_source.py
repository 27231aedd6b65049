"""The body of a form, as aiohttp's multipart reader takes it: bounded, and cut off loudly.

It stands in for the request's own stream, which counts nothing, waits for ever, and whose
`unread_data` is deprecated.
"""

from typing import Final

from aiohttp import StreamReader

from services.gateway.problems import RefusedError
from services.gateway.requests import Pieces, malformed

MAX_LINE_BYTES: Final = 8_190
"""Of a boundary, and of a header of a part."""
MAX_LINES: Final = 1_000
"""Of boundaries and headers together; what is inside of parts is not read by lines."""


class BodySource:
    """Reads a body piece by piece. Refuses with 413 what is over `max_bytes` in all.

    Refuses with 400 a body that is broken off or stops coming, and lines that are too long or
    too many.
    """

    def __init__(self, content: StreamReader, max_bytes: int) -> None:
        self._content = content
        self._pieces = Pieces(content)
        self._max_bytes = max_bytes
        self._taken_bytes = 0
        self._lines = 0
        self._waiting = bytearray()

    async def read(self, size: int) -> bytes:
        """At most so many bytes; none at the end."""
        if not self._waiting:
            await self._take()
        return self._give(size)

    async def readline(self, *, max_line_length: int = MAX_LINE_BYTES) -> bytes:
        """A line with its end; what is left at the end."""
        self._lines += 1
        if self._lines > MAX_LINES:
            raise malformed("the form has too many lines outside of its parts")
        searched = 0
        while (end := self._waiting.find(b"\n", searched)) < 0:
            searched = len(self._waiting)
            if searched > max_line_length:
                raise malformed("the form has a line that is too long")
            if not await self._take():
                return self._give(searched)
        if end > max_line_length:
            raise malformed("the form has a line that is too long")
        return self._give(end + 1)

    def unread_data(self, data: bytes) -> None:
        """Give back what was read last."""
        self._waiting[:0] = data

    def at_eof(self) -> bool:
        """Whether everything has been read."""
        return not self._waiting and self._content.at_eof()

    async def drain(self) -> None:
        """Read to the end, and keep nothing."""
        self._waiting.clear()
        while await self._take():
            self._waiting.clear()

    async def _take(self) -> bool:
        data = await self._pieces.next()
        self._taken_bytes += len(data)
        if self._taken_bytes > self._max_bytes:
            raise RefusedError("payload_too_large", f"the body is over {self._max_bytes} bytes")
        self._waiting += data
        return bool(data)

    def _give(self, size: int) -> bytes:
        data = bytes(self._waiting[:size])
        del self._waiting[:size]
        return data
