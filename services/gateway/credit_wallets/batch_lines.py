"""A batch as lines: each is handed in as it comes, and its result goes out while others come.

Little is kept: a client that is slow to take results is not read from any further. Nor is one that
sends faster than its rate limit allows: it is slowed, and nothing is refused. A stream may last,
so who sends it is asked again before each part of it that is handed in.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Final

import msgspec
from aiohttp import web

from ledger.command_handling.processor import MAX_WAITING_COMMANDS
from schemas.http.batches import MAX_BATCH_LINES
from services.gateway.answers import Answer, header, invite_body
from services.gateway.calls import Call
from services.gateway.credit_wallets.members import Pending, hand_in, results_of
from services.gateway.credit_wallets.settlement import Settlement
from services.gateway.problems import ReadsUnavailableError, RefusedError
from services.gateway.requests import MAX_BODY_BYTES, broken_off
from services.gateway.streams import StoppingError, StreamedAnswer, cut_into_lines

LINES_TYPE: Final = "application/x-ndjson"
_PARTS_UNDER_WAY: Final = 2
"""So many parts of one stream wait for their results, beside the one that is being sent."""
_STAND_BACK_COMMANDS: Final = MAX_WAITING_COMMANDS // 2
"""While more commands wait, streams hand in nothing: single calls go first."""
_STAND_BACK_S: Final = 0.02
_STAND_BACK_TIMES: Final = 250
"""Then it is handed in all the same, and what is not taken in is answered 503."""
_OVER_LIMIT_S: Final = 0.02
"""How long a stream waits for its rate limit to allow more: so many lines then go together."""
_PATIENCE_S: Final = 4.0
"""How long a client may take to read the last results when the gateway is stopping."""

_encode_lines: Final = msgspec.json.Encoder().encode_lines

_Parts = asyncio.Queue[Sequence[Pending] | None]


class LineBatches:
    """Answers batches of which each line is a command."""

    def __init__(self, settlement: Settlement, stopping: asyncio.Event) -> None:
        self._settlement = settlement
        self._stopping = stopping

    async def answer(self, call: Call, key: str | None) -> Answer:
        """Read, hand in and answer, all at the same time; what was handed in stays done.

        When the gateway is stopping no more is handed in, and the last line says so; nor is it
        of a sender who was revoked.
        """
        invite_body(call.request)
        headers_bytes = header("Content-Type", LINES_TYPE) + header("X-Request-Id", call.request_id)
        headers_bytes += call.allowed.header_lines()
        answer = StreamedAnswer(call.request, headers_bytes)
        parts: _Parts = asyncio.Queue(_PARTS_UNDER_WAY)
        try:
            async with _hurried_by(self._stopping), asyncio.TaskGroup() as both:
                handing_in = both.create_task(self._hand_in(call, key, parts))
                both.create_task(_send(call, parts, answer))
            if not handing_in.result():
                await answer.end_early()
        except* (ConnectionError, TimeoutError):
            # The client has gone, or takes nothing: there is nobody to tell.
            answer.abort()
        except* Exception:
            answer.abort()
            raise
        finally:
            _forget(parts)
        return answer

    async def _hand_in(self, call: Call, key: str | None, parts: _Parts) -> bool:
        """Whether the body was read as far as it is, or may be: not where the gateway stops."""
        read = 0
        refused: RefusedError | None = None
        cut = cut_into_lines(call.request.content, MAX_BODY_BYTES, self._stopping)
        try:
            async with aclosing(cut):
                async for lines in cut:
                    taken = lines[: MAX_BATCH_LINES - read]
                    too_many = len(taken) < len(lines)
                    while taken:
                        part = await self._part(call, taken, read, key)
                        await parts.put(part)
                        read += len(part)
                        taken = taken[len(part) :]
                    if too_many:
                        refused = _too_many()
                        break
        except web.RequestPayloadError:
            refused = broken_off()
        except StoppingError:
            refused = _stopping()
        except RefusedError as error:
            refused = _revoked() if error.code == "unauthorized" else error
        if refused is not None:
            await parts.put([Pending(read, None, refused)])
        await parts.put(None)
        return refused is None or refused.code != "stopping"

    async def _part(
        self, call: Call, lines: Sequence[bytes | None], read: int, key: str | None
    ) -> Sequence[Pending]:
        """Hand in the first of these lines, as many as the sender may ask for now."""
        try:
            allowed = await self._allowed(call, len(lines))
            await self._stand_back()
            await call.check_again()
        except ReadsUnavailableError as error:
            # Nobody knows whether they may be taken in: each is answered as its own call is.
            return [Pending(place, None, error) for place in range(read, read + len(lines))]
        return hand_in(self._settlement, call, lines[:allowed], read, key)

    async def _allowed(self, call: Call, most: int) -> int:
        """Wait until the sender may ask for some lines, and say for how many."""
        while True:
            # The allowance of a moment ago may have been forgotten, or have another limit.
            await call.check_again()
            if count := call.allowed.take_lines(most):
                return count
            if self._stopping.is_set():
                raise StoppingError
            if call.request.transport is None:
                raise ConnectionResetError("the client is gone")
            await asyncio.sleep(_OVER_LIMIT_S)

    async def _stand_back(self) -> None:
        for _ in range(_STAND_BACK_TIMES):
            if self._settlement.waiting_commands < _STAND_BACK_COMMANDS:
                return
            if self._stopping.is_set():
                raise StoppingError
            await asyncio.sleep(_STAND_BACK_S)


def _too_many() -> RefusedError:
    detail = f"there are more than {MAX_BATCH_LINES} lines; the rest is not read"
    return RefusedError("payload_too_large", detail)


def _stopping() -> RefusedError:
    detail = "the gateway is stopping; this line and those after it were not taken in: send them"
    return RefusedError("stopping", detail)


def _revoked() -> RefusedError:
    detail = "the credentials are no longer valid; this line and those after it were not taken in"
    return RefusedError("unauthorized", detail)


@asynccontextmanager
async def _hurried_by(stopping: asyncio.Event) -> AsyncIterator[None]:
    """The block, with a limit from when `stopping` is set: then it is a `TimeoutError`."""

    async def hurry(limit: asyncio.Timeout) -> None:
        await stopping.wait()
        limit.reschedule(asyncio.get_running_loop().time() + _PATIENCE_S)

    async with asyncio.timeout(None) as limit:
        hurrying = asyncio.create_task(hurry(limit))
        try:
            yield
        finally:
            hurrying.cancel()


async def _send(call: Call, parts: _Parts, answer: StreamedAnswer) -> None:
    while (part := await parts.get()) is not None:
        await answer.send(_encode_lines(await results_of(call, part)))


def _forget(parts: _Parts) -> None:
    """Nobody waits for these any more. What was handed in is decided all the same."""
    while not parts.empty():
        for pending in parts.get_nowait() or ():
            if isinstance(pending.outcome, asyncio.Future):
                pending.outcome.cancel()
