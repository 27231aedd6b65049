"""Publishing while this process leads: read a page, send it, record what is acknowledged.

While Kafka takes one page, the next is read and encoded; it is sent when the one before
is acknowledged by every partition. The recorded position follows the acknowledged one.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple, NoReturn

from services.relay import metrics
from services.relay.cloudevents import LogRow, MessageEncoder
from services.relay.leadership import PING_INTERVAL_S, LogSession, Progress, SessionLostError
from services.relay.pace import rest_s
from services.relay.publisher import Page, Publisher, PublishError
from services.relay.refusals import LogDivergedError, LogGapError
from services.runtime.environment import SystemEnvironment
from services.runtime.health import ServersReadiness
from services.runtime.kafka import partition_for

_PAGE_EVENTS = 2000
_PAGE_BYTES = 4 * 1024 * 1024
_POLL_MIN_S = 0.010
_POLL_MAX_S = 0.050
_RECORD_INTERVAL_S = 0.020
_FINISH_TIMEOUT_S = 2.0
_SLOW_S = 3.0


class _Place(NamedTuple):
    """A position of the log, and the hash of the event there."""

    position: int
    hash: bytes | None


class _UnderWay(NamedTuple):
    sending: asyncio.Task[None]
    page: Page


class Publication:
    """One leader publishing with one producer, from the recorded position on."""

    def __init__(
        self,
        session: LogSession,
        publisher: Publisher,
        progress: Progress,
        environment: SystemEnvironment,
        readiness: ServersReadiness,
    ) -> None:
        self._readiness = readiness
        self._session = session
        self._publisher = publisher
        self._environment = environment
        self._encoder = MessageEncoder(lambda key: partition_for(key, progress.partition_count))
        self._recorded = _Place(progress.published_position, progress.published_hash)
        self._acknowledged = self._recorded
        self._read_position = progress.published_position
        self._under_way: _UnderWay | None = None
        self._page_events = _PAGE_EVENTS
        self._poll_s = _POLL_MIN_S
        self._recorded_at = self._watched_at = float("-inf")

    async def run(self) -> NoReturn:
        """Publish until cancelled.

        Raises `SessionLostError` and `PublishError`, after which everything starts again
        from the recorded position; `LogGapError`, after which nothing may.
        """
        try:
            while True:
                await self._publish_next_page()
                await self._watch_if_due()
        except asyncio.CancelledError:
            # What is under way gets its moment, so that a planned stop repeats nothing.
            with suppress(SessionLostError, PublishError, TimeoutError):
                async with asyncio.timeout(_FINISH_TIMEOUT_S):
                    await self._settle()
                    await self._record()
            raise
        finally:
            if self._under_way is not None:
                self._under_way.sending.cancel()
                await asyncio.wait({self._under_way.sending})

    async def _publish_next_page(self) -> None:
        limit = self._page_events
        rows = await self._read_page(limit)
        page = self._publisher.page(rows, self._encoder) if rows else None
        await self._settle()
        if page is not None:
            await self._session.confirm()
            self._send(page)
        if len(rows) < limit:
            await self._settle()
        await self._record_if_due(caught_up=not rows)
        if rows:
            self._poll_s = _POLL_MIN_S
        else:
            await self._session.wait_for_news(self._poll_s)
            self._poll_s = min(self._poll_s * 1.5, _POLL_MAX_S)
        if len(rows) < limit:
            await self._environment.sleep(rest_s(len(rows)))

    async def _read_page(self, limit: int) -> Sequence[LogRow]:
        rows = await self._session.read_page(self._read_position, limit)
        if not rows:
            return rows
        first, last = rows[0][0], rows[-1][0]
        if first != self._read_position + 1 or last - first != len(rows) - 1:
            raise LogGapError(after_position=self._read_position, up_to=last, found=len(rows))
        return rows

    def _send(self, page: Page) -> None:
        self._under_way = _UnderWay(asyncio.create_task(self._publisher.publish(page)), page)
        self._read_position = page.last_position
        bytes_per_event = page.byte_count // page.event_count + 1
        self._page_events = max(1, min(_PAGE_EVENTS, _PAGE_BYTES // bytes_per_event))

    async def _settle(self) -> None:
        """Wait until the page under way, if any, is acknowledged by every partition."""
        if self._under_way is None:
            return
        sending, page = self._under_way
        done, _ = await self._session.hold(asyncio.wait({sending}, timeout=_SLOW_S))
        if not done:
            self._readiness.kafka = "it does not acknowledge what is sent"
            await self._session.hold(asyncio.wait({sending}))
        self._under_way = None
        sending.result()
        self._readiness.kafka = None
        self._acknowledged = _Place(page.last_position, page.last_hash)
        metrics.PUBLISHED.inc(page.event_count)

    async def _record_if_due(self, *, caught_up: bool) -> None:
        since_s = self._environment.monotonic() - self._recorded_at
        if caught_up or since_s >= _RECORD_INTERVAL_S:
            await self._record()

    async def _record(self) -> None:
        if self._acknowledged == self._recorded:
            return
        position, event_hash = self._acknowledged
        assert event_hash is not None, "only events are acknowledged, and they have hashes"
        await self._session.record(self._recorded.position, position, event_hash)
        self._recorded = self._acknowledged
        self._recorded_at = self._environment.monotonic()
        metrics.PUBLISHED_POSITION.set(position)

    async def _watch_if_due(self) -> None:
        """Measure the lag each second, which shows a hole at the end of the log too."""
        now = self._environment.monotonic()
        if now - self._watched_at < PING_INTERVAL_S:
            return
        self._watched_at = now
        lag = await self._session.ping()
        if lag.head_position > lag.published_position and lag.waiting_s is None:
            raise LogGapError(
                after_position=lag.published_position, head_position=lag.head_position
            )


def check_log(progress: Progress) -> None:
    """Raise `LogDivergedError` if the log has not what was published."""
    if progress.published_position and progress.published_hash != progress.log_hash:
        found = progress.log_hash
        raise LogDivergedError(
            published_position=progress.published_position,
            published_hash=progress.published_hash and progress.published_hash.hex(),
            log_hash=found and found.hex(),
        )
