"""Requests: the parts of what a client sent that are the same for every call.

What the body means is read in `bodies`.
"""

import asyncio
import re
from typing import Final

from aiohttp import StreamReader, web

from services.gateway.answers import invite_body
from services.gateway.problems import RefusedError

MAX_BODY_BYTES: Final = 128 * 1024
"""Of every call but a batch, and of each line of one."""
MAX_SILENCE_SECONDS: Final = 30.0
"""Until the next piece of a body comes, however small."""
MAX_COMING_SECONDS: Final = 600.0
"""Until all of a body has come, unless it is a stream: of the largest, 18 KiB a second."""

_JSON_TYPE = re.compile(r'application/json\s*(;\s*charset="?utf-8"?\s*)?', re.ASCII | re.IGNORECASE)
_LINES_TYPE = re.compile(
    r'application/x-ndjson\s*(;\s*charset="?utf-8"?\s*)?', re.ASCII | re.IGNORECASE
)
_IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,255}", re.ASCII)
_TRACE_ID = re.compile(r"[!-~]{1,128}", re.ASCII)


def trace_id(text: str | None) -> str | None:
    """A request or correlation id that the client chose, if it can stand in a log."""
    return text if text is not None and _TRACE_ID.fullmatch(text) else None


def idempotency_key(request: web.BaseRequest) -> str | None:
    """The call's Idempotency-Key, if it has one. Refuses what is not 1 to 255 visible ASCII."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not _IDEMPOTENCY_KEY.fullmatch(key) or len(request.headers.getall("Idempotency-Key")) > 1:
        raise RefusedError(
            "invalid_idempotency_key",
            "must be given once, as 1 to 255 visible ASCII characters",
            param="Idempotency-Key",
        )
    return key


async def read_body(request: web.BaseRequest, max_bytes: int = MAX_BODY_BYTES) -> bytes:
    """The body as it came. Refuses one that is too large, or is not said to be JSON."""
    if request.content.is_eof():
        # It came with the head, as nearly always: read it without waiting for anything.
        body = _come_already(request.content)
    else:
        body = await _rest_of_body(request, max_bytes)
    if len(body) > max_bytes:
        raise _too_large(max_bytes)
    if body:
        content_type = request.headers.get("Content-Type", "")
        if content_type != "application/json" and not _JSON_TYPE.fullmatch(content_type):
            raise RefusedError(
                "unsupported_media_type", "the body must be of content type application/json"
            )
        _refuse_compressed(request)
    return body


def has_lines(request: web.BaseRequest) -> bool:
    """Whether the body is said to be NDJSON, which is read line by line. Not if compressed."""
    if not _LINES_TYPE.fullmatch(request.headers.get("Content-Type", "")):
        return False
    _refuse_compressed(request)
    return True


def _refuse_compressed(request: web.BaseRequest) -> None:
    if "Content-Encoding" in request.headers:
        raise RefusedError("unsupported_media_type", "the body must not be compressed")


def _come_already(content: StreamReader) -> bytes:
    try:
        return content.read_nowait()
    except (web.RequestPayloadError, ConnectionError):
        # All of it had come, and then the client went away while it was found out who that is.
        raise broken_off() from None


async def _rest_of_body(request: web.BaseRequest, max_bytes: int) -> bytes:
    if "Expect" in request.headers:
        if (request.content_length or 0) > max_bytes:
            raise _too_large(max_bytes)
        invite_body(request)
    body = bytearray()
    pieces = Pieces(request.content)
    while piece := await pieces.next():
        body += piece
        if len(body) > max_bytes:
            raise _too_large(max_bytes)
    return bytes(body)


class Pieces:
    """A body as it comes. Refuses with 400 one that is broken off, or takes too long."""

    def __init__(self, content: StreamReader) -> None:
        self._content = content
        self._ends_at = asyncio.get_running_loop().time() + MAX_COMING_SECONDS

    async def next(self) -> bytes:
        """The next piece; none at the end."""
        silent_at = asyncio.get_running_loop().time() + MAX_SILENCE_SECONDS
        try:
            async with asyncio.timeout_at(min(silent_at, self._ends_at)):
                return await self._content.readany()
        except TimeoutError:
            raise stopped_coming() from None
        except (web.RequestPayloadError, ConnectionError):
            # The second where the client went away; nobody gets the answer then.
            raise broken_off() from None


def broken_off() -> RefusedError:
    """The 400 for a body whose end cannot be read.

    Not for one with a wrongly framed chunk behind a good one: of that nobody is told, so it gets
    `stopped_coming`.
    """
    return malformed("the body is broken off or wrongly framed")


def stopped_coming() -> RefusedError:
    """The 400 for a body whose end is not waited for any longer."""
    return malformed("the rest of the body did not come in time")


def malformed(detail: str, param: str | None = None) -> RefusedError:
    """The 400 for what cannot be read."""
    return RefusedError("malformed_request", detail, param=param)


def _too_large(max_bytes: int) -> RefusedError:
    return RefusedError("payload_too_large", f"the body is over {max_bytes} bytes")
