"""How a call goes out: over either HTTP API, over Kafka, in a hurry, or only by half.

Every try ends in the journal: with what was told, or as one of which nobody knows.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from copy import copy
from random import Random
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
import msgspec

from services.client import (
    CommandClient,
    CommandRejectedError,
    NotPublishedError,
    ResultsUnreadableError,
    ResultTimeoutError,
)
from tests.specs.running_stack import RunningStack
from tests.specs.storm_journal import Journal, Read
from tests.specs.storm_payers import Payer
from tests.specs.storm_wishes import Call, Door, Told, Unclear, read_answer, spelled

_TIMEOUT = aiohttp.ClientTimeout(total=8)
_RESULT_TIMEOUT_S = 8.0
_NO_ANSWER = (aiohttp.ClientError, TimeoutError, OSError)
Answer = tuple[int, Any, bytes]


class Doors:
    """All the ways in. `urls` are the gateways', `sessions` one of HTTP for each client."""

    offers: Sequence[Door] = ("a", "a", "a", "b", "kafka")

    def __init__(
        self, stack: RunningStack, urls: Sequence[str], kafka: CommandClient, journal: Journal
    ) -> None:
        self._urls = urls
        self._kafka = kafka
        self._journal = journal
        self._payer = Payer(stack.url, journal)
        self._credentials = {
            "a": {"Authorization": stack.authorization},
            "b": {"X-API-Key": stack.sandbox["API_KEY"]},
        }

    def with_journal(self, journal: Journal) -> Self:
        """The same doors, for somebody who writes down elsewhere."""
        other = copy(self)
        other._journal = journal
        return other

    async def send(self, session: aiohttp.ClientSession, call: Call, chance: Random) -> None:
        """Ask once, and wait for the answer."""
        self._begin(call)
        if call.door == "kafka":
            await self._execute(call)
            return
        if call.is_stream:
            await self._stream(session, call, chance)
            return
        try:
            status, headers, body = await self._post(session, call, chance)
        except _NO_ANSWER as error:
            self._journal.failed(call, type(error).__name__)
            return
        self._take(call, status, headers, body)

    async def _stream(self, session: aiohttp.ClientSession, call: Call, chance: Random) -> None:
        """Send line after line while results come; those that have come before it broke count."""
        headers: Mapping[str, str] = {}
        status, body = 0, b""
        try:
            async with self._posting(session, call, chance, _in_pieces(call, chance)) as answer:
                status, headers = answer.status, answer.headers
                async for piece in answer.content.iter_any():
                    body += piece
        except _NO_ANSWER as error:
            self._journal.counts["a broken stream"] += 1
            if status != 200:
                self._journal.failed(call, type(error).__name__)
                return
        self._take(call, status, headers, body)

    def _take(self, call: Call, status: int, headers: Any, body: bytes) -> None:
        try:
            answers = read_answer(call, status, headers, body, time.monotonic())
        except (msgspec.MsgspecError, KeyError) as error:
            self._journal.wrong.append(f"{status} {body!r} cannot be read: {error!r}")
            self._journal.failed(call, "unreadable")
            return
        self._journal.take(call, answers)

    async def hang_up(self, session: aiohttp.ClientSession, call: Call, chance: Random) -> None:
        """Ask, and be gone some milliseconds later, whatever has come by then."""
        self._begin(call)
        self._journal.counts["hung up"] += 1
        try:
            async with asyncio.timeout(chance.uniform(0, 0.02)):
                status, headers, body = await self._post(session, call, chance)
        except _NO_ANSWER as error:
            if isinstance(error, TimeoutError):
                for wish in call.wishes:
                    wish.doubts += 1
            else:
                self._journal.failed(call, type(error).__name__)
            return
        self._take(call, status, headers, body)

    async def send_half(self, call: Call, chance: Random) -> None:
        """Begin a request, and be gone in the middle of its body.

        Nothing may come of it, but of the whole lines of a stream.
        """
        self._begin(call)
        self._journal.counts["half a request"] += 1
        path, body, content_type = spelled(call)
        if call.is_stream:
            for wish in call.wishes:
                wish.doubts += 1
        url = urlsplit(chance.choice(self._urls))
        head = [f"POST {path} HTTP/1.1", f"Host: {url.netloc}", f"Content-Type: {content_type}"]
        head += [f"{name}: {text}" for name, text in self._headers(call).items()]
        head += [f"Content-Length: {len(body)}", "", ""]
        with suppress(OSError):
            _, writer = await asyncio.open_connection(url.hostname, url.port)
            writer.write("\r\n".join(head).encode() + body[: chance.randrange(len(body))])
            with suppress(OSError):
                await writer.drain()
            writer.close()
            await writer.wait_closed()

    async def look(self, session: aiohttp.ClientSession, chance: Random, wallet_id: str) -> None:
        """A GET of a wallet, which must show all that anybody was told of before."""
        least = self._journal.newest[wallet_id]
        answer = await self.get(session, chance, f"/v1/wallets/{wallet_id}")
        if answer is None:
            return
        status, headers, body = answer
        if status != 200:
            self._journal.wrong.append(f"GET {wallet_id}: {status} {body.decode()}")
            return
        shown = msgspec.json.decode(body)
        version = int(headers["ETag"].strip('"'))
        if version < least:
            self._journal.wrong.append(f"{wallet_id} is shown at {version}, {least} was told of")
        self._journal.learn(wallet_id, version)
        self._journal.reads.append(
            Read(wallet_id, version, shown["balance"], shown["available_balance"])
        )

    async def get(self, session: aiohttp.ClientSession, chance: Random, path: str) -> Answer | None:
        """A GET through any gateway; None where it had no answer, or a 503."""
        self._journal.counts["reads"] += 1
        url = chance.choice(self._urls) + path
        try:
            async with session.get(url, headers=self._credentials["a"]) as answer:
                status, body = answer.status, await answer.read()
        except _NO_ANSWER as error:
            self._journal.not_answered(type(error).__name__)
            return None
        if status == 503:
            code = msgspec.json.decode(body)["code"]
            self._journal.refused(Unclear(code, "Retry-After" in answer.headers), path)
            return None
        return status, answer.headers, body

    async def pay(
        self,
        session: aiohttp.ClientSession,
        chance: Random,
        shown: Mapping[str, Any],
        *,
        ends_soon: bool,
    ) -> None:
        """At the checkout, for a top-up."""
        await self._payer.pay(session, chance, shown["id"], ends_soon=ends_soon)

    async def see(
        self, session: aiohttp.ClientSession, chance: Random, kind: str, named: str
    ) -> None:
        """What was acknowledged is there, or the answer says that it cannot be shown yet."""
        answer = await self.get(session, chance, f"/v1/{kind}/{named}")
        if answer is None:
            return
        status, _, body = answer
        if status != 200 or msgspec.json.decode(body)["id"] != named:
            self._journal.wrong.append(f"{named} was told of: {status} {body.decode()}")

    async def see_history(
        self, session: aiohttp.ClientSession, chance: Random, shown: Mapping[str, Any]
    ) -> None:
        """The newest page of a history has what was acknowledged just now."""
        path = f"/v1/wallets/{shown['wallet_id']}/transactions?limit=100"
        answer = await self.get(session, chance, path)
        if answer is None:
            return
        status, _, body = answer
        page = msgspec.json.decode(body) if status == 200 else {"data": []}
        if shown["id"] in [each["id"] for each in page["data"]]:
            return
        # So many others may have been quicker that it is on the next page.
        if not page["data"] or page["data"][-1]["created_at"] <= _moment(shown["created_at"]):
            self._journal.wrong.append(f"{shown['id']} is not in {path}: {status} {body.decode()}")

    def _begin(self, call: Call) -> None:
        self._journal.counts["tries"] += 1
        for wish in call.wishes:
            wish.began = min(wish.began, time.monotonic())

    def _headers(self, call: Call) -> dict[str, str]:
        key = {} if call.key is None else {"Idempotency-Key": call.key}
        return self._credentials[call.door] | key

    async def _post(self, session: aiohttp.ClientSession, call: Call, chance: Random) -> Answer:
        async with self._posting(session, call, chance, spelled(call).body) as answer:
            return answer.status, answer.headers, await answer.read()

    def _posting(
        self,
        session: aiohttp.ClientSession,
        call: Call,
        chance: Random,
        body: bytes | AsyncIterator[bytes],
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        path, _, content_type = spelled(call)
        headers = {**self._headers(call), "Content-Type": content_type}
        return session.post(chance.choice(self._urls) + path, data=body, headers=headers)

    async def _execute(self, call: Call) -> None:
        (wish,) = call.wishes
        try:
            result = await self._kafka.execute(
                wish.command, command_id=call.key, timeout_s=_RESULT_TIMEOUT_S
            )
        except (ResultTimeoutError, NotPublishedError) as error:
            self._journal.failed(call, type(error).__name__)
            return
        except (CommandRejectedError, ResultsUnreadableError) as error:
            self._journal.wrong.append(f"{error!r} for {wish}")
            self._journal.failed(call, type(error).__name__)
            return
        status = 200 if result.status == "accepted" else 409
        body = msgspec.json.encode(result)
        told = Told(status, body, result.version, is_replayed=False, at=time.monotonic())
        self._journal.take(call, [told])


async def _in_pieces(call: Call, chance: Random) -> AsyncIterator[bytes]:
    """The body of a stream, cut where it comes, with pauses between."""
    left = spelled(call).body
    while left:
        size = chance.randint(1, 1_000)
        yield left[:size]
        left = left[size:]
        await asyncio.sleep(chance.uniform(0, 0.02))


def _moment(text: str) -> str:
    """A time as API A shows it; over Kafka one without a fraction has none."""
    return text if "." in text else text.replace("Z", ".000000Z")


def session_of_a_client() -> aiohttp.ClientSession:
    """A client's own connections."""
    return aiohttp.ClientSession(timeout=_TIMEOUT)
