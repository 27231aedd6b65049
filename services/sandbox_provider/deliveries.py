"""Deliveries: each callback is sent until it is taken, with longer and longer pauses between."""

import asyncio
import hashlib
import hmac
import sqlite3
from collections.abc import Callable
from typing import Final, NoReturn

import aiohttp
import structlog

from services.sandbox_provider import metrics
from services.sandbox_provider.store import DueCallback, SessionStore

FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 600.0
PATIENCE_SECONDS: Final = 72 * 3600.0
"""How long after its first attempt a callback is given up; the payment stays paid."""
MIN_ATTEMPTS: Final = 10
"""Before that none is given up: the provider may have been stopped most of the time."""
_JITTER: Final = 0.25
_AT_ONCE: Final = 20
_ANSWER_SECONDS: Final = 10.0
_TIMEOUT: Final = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
_LONGEST_REST_SECONDS: Final = 60.0
_LOCKED_PAUSE_SECONDS: Final = 1.0

_log = structlog.get_logger()


def pause_seconds(attempts: int, chance: float) -> float:
    """The pause after so many attempts; `chance`, 0 to 1, spreads it by a quarter either way."""
    doubled = FIRST_PAUSE_SECONDS * 2.0 ** min(attempts - 1, 30)
    return min(doubled, LONGEST_PAUSE_SECONDS) * (1 - _JITTER + 2 * _JITTER * chance)


def is_given_up(attempts: int, seconds: float) -> bool:
    """Whether a callback is sent no more, so long after the first of so many attempts."""
    return attempts >= MIN_ATTEMPTS and seconds > PATIENCE_SECONDS


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What `Provider-Signature` says of a body that is sent at a time (seconds since 1970)."""
    signed = timestamp.encode() + b"." + body
    return f"v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


class Deliveries:
    """Sends what the store plans. Survives its process: what was not taken is sent again."""

    def __init__(
        self,
        store: SessionStore,
        client: aiohttp.ClientSession,
        secret: str,
        *,
        now: Callable[[], float],
        chance: Callable[[], float],
    ) -> None:
        self._store = store
        self._client = client
        self._secret = secret
        self._now = now
        self._chance = chance
        self._news = asyncio.Event()
        self._free = asyncio.Semaphore(_AT_ONCE)

    def wake(self) -> None:
        """Something was planned."""
        self._news.set()

    async def run(self) -> NoReturn:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                try:
                    await self._send_due(group)
                    await self._rest()
                except sqlite3.OperationalError as error:
                    # Another process has the file; it will let go.
                    _log.warning("sessions_unusable", error=repr(error))
                    await asyncio.sleep(_LOCKED_PAUSE_SECONDS)

    async def _send_due(self, group: asyncio.TaskGroup) -> None:
        self._news.clear()
        for callback in self._store.due(self._now(), _AT_ONCE):
            await self._free.acquire()
            try:
                # Until the answer is here it counts as one that never comes.
                silent = self._pause(callback.attempts + 1) + _ANSWER_SECONDS
                now = self._now()
                first_at = self._store.begin_attempt(callback.callback_id, now, now + silent)
            except BaseException:
                self._free.release()
                raise
            group.create_task(self._deliver(callback, first_at))

    async def _rest(self) -> None:
        waiting = self._store.waiting()
        metrics.WAITING.set(waiting.callbacks)
        rest = _LONGEST_REST_SECONDS
        if waiting.next_due_at is not None:
            rest = min(max(waiting.next_due_at - self._now(), 0.0), rest)
        try:
            async with asyncio.timeout(rest):
                await self._news.wait()
        except TimeoutError:
            return

    async def _deliver(self, callback: DueCallback, first_at: float) -> None:
        try:
            outcome = await self._attempt(callback)
        finally:
            self._free.release()
        try:
            outcome = self._note(callback, first_at, outcome)
        except sqlite3.OperationalError as error:
            # It is sent again as one that was not answered, and taken as told before.
            _log.warning("sessions_unusable", error=repr(error))
        metrics.CALLBACKS.labels(outcome).inc()
        self.wake()

    def _note(self, callback: DueCallback, first_at: float, outcome: str) -> str:
        """Write down what an attempt came to: the outcome, or `given_up` in its place."""
        now, attempts = self._now(), callback.attempts + 1
        if outcome == "delivered":
            self._store.settle(callback.callback_id, outcome, now)
        elif is_given_up(attempts, now - first_at):
            outcome = "given_up"
            self._store.settle(callback.callback_id, outcome, now)
            _log.error("callback_given_up", callback_id=callback.callback_id)
        else:
            self._store.postpone(callback.callback_id, now + self._pause(attempts))
        return outcome

    async def _attempt(self, callback: DueCallback) -> str:
        """Send it once: `delivered`, `refused`, or `unanswered`."""
        body = callback.body.encode()
        timestamp = str(int(self._now()))
        is_forged = callback.attempts < callback.forged_attempts
        headers = {
            "Content-Type": "application/json",
            "Provider-Timestamp": timestamp,
            "Provider-Signature": signature(
                f"not {self._secret}" if is_forged else self._secret, timestamp, body
            ),
        }
        try:
            async with self._client.post(
                callback.url, data=body, headers=headers, timeout=_TIMEOUT, allow_redirects=False
            ) as answer:
                status = answer.status
        except Exception as error:  # noqa: BLE001 - whatever its address makes of one callback
            _log.warning("callback_unanswered", callback_id=callback.callback_id, error=repr(error))
            return "unanswered"
        if 200 <= status < 300:
            return "delivered"
        _log.warning("callback_refused", callback_id=callback.callback_id, status=status)
        return "refused"

    def _pause(self, attempts: int) -> float:
        return pause_seconds(attempts, self._chance())
