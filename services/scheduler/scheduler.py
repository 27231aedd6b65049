"""The scheduler's life: connect, publish what is due each second; and again after failures.

Nothing depends on it but when a lapse becomes visible: every decision first lets lapse
what is due by itself. So it keeps nothing, and any number of schedulers may run.
"""

import math
from typing import NoReturn

import structlog

from services.runtime.environment import SystemEnvironment
from services.runtime.health import ServersReadiness
from services.runtime.settings import Settings
from services.scheduler import metrics
from services.scheduler.commands import command_of
from services.scheduler.due_wallets import DuePage, DueWallets, SessionLostError
from services.scheduler.outstanding import MOST_OUTSTANDING, Outstanding
from services.scheduler.publisher import CommandPublisher, PublishError

INTERVAL_S = 1.0
_CHECK_INTERVAL_S = 10.0
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0

_log = structlog.get_logger()


class Scheduler:
    """One scheduler process. A server that has failed is connected to anew, the other is kept."""

    def __init__(
        self, settings: Settings, environment: SystemEnvironment, readiness: ServersReadiness
    ) -> None:
        self._settings = settings
        self._environment = environment
        self._readiness = readiness
        self._outstanding = Outstanding()
        self._due_wallets: DueWallets | None = None
        self._publisher: CommandPublisher | None = None
        self._kafka_answered_at = 0.0
        self._looked_for_snapshots_at = -math.inf

    async def run(self) -> NoReturn:
        """Work until cancelled."""
        pause_s = _FIRST_PAUSE_S
        try:
            while True:
                if await self._is_done():
                    pause_s = _FIRST_PAUSE_S
                    await self._environment.sleep(INTERVAL_S)
                else:
                    await self._environment.sleep(pause_s)
                    pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
        finally:
            self._leave_postgres()
            await self._leave_kafka()

    async def _is_done(self) -> bool:
        """Publish what is due; False if a server failed, and is left."""
        try:
            due_wallets = self._due_wallets or await self._join_postgres()
            # First: a Kafka that is away must not hide it.
            await self._look_for_old_snapshots(due_wallets)
            publisher = self._publisher or await self._join_kafka()
            await self._publish_due(due_wallets, publisher)
            await self._check_kafka(publisher)
        except SessionLostError as error:
            self._readiness.postgres = str(error)
            metrics.FAILURES.labels("postgresql").inc()
            _log.warning("session_lost", reason=str(error))
            self._leave_postgres()
        except PublishError as error:
            self._readiness.kafka = str(error)
            metrics.FAILURES.labels("kafka").inc()
            _log.warning("kafka_failed", reason=str(error))
            await self._leave_kafka()
        else:
            return True
        return False

    async def _publish_due(self, due_wallets: DueWallets, publisher: CommandPublisher) -> None:
        """Publish page after page, until there is no more, or no room for more."""
        while True:
            limit = self._outstanding.limit()
            page = await due_wallets.ask(limit)
            self._readiness.postgres = None
            await self._publish_news(page, publisher)
            metrics.OUTSTANDING.set(len(self._outstanding))
            if len(page.wallets) < limit or limit == MOST_OUTSTANDING:
                return

    async def _publish_news(self, page: DuePage, publisher: CommandPublisher) -> None:
        news = self._outstanding.news([command_of(due, page.now) for due in page.wallets])
        if not news:
            return
        await publisher.publish(news)
        self._kafka_answered_at = self._environment.monotonic()
        self._outstanding.add(news)
        metrics.PUBLISHED.inc(len(news))
        for command in news:
            metrics.LATENESS_SECONDS.observe((page.now - command.due_at).total_seconds())
        _log.debug("published", commands=len(news))

    async def _check_kafka(self, publisher: CommandPublisher) -> None:
        """Notice a Kafka that went away while there was nothing to publish."""
        if self._environment.monotonic() - self._kafka_answered_at > _CHECK_INTERVAL_S:
            await publisher.check()
            self._kafka_answered_at = self._environment.monotonic()

    async def _look_for_old_snapshots(self, due_wallets: DueWallets) -> None:
        """Show a snapshot that is held for long: what it keeps from being removed only grows."""
        if self._environment.monotonic() - self._looked_for_snapshots_at > _CHECK_INTERVAL_S:
            metrics.OLDEST_SNAPSHOT_SECONDS.set(await due_wallets.oldest_snapshot_s())
            self._looked_for_snapshots_at = self._environment.monotonic()

    async def _join_postgres(self) -> DueWallets:
        self._due_wallets = await DueWallets.open(self._settings.require_database_url())
        # The database may have been restored to an earlier point, before what was asked for.
        self._outstanding = Outstanding()
        return self._due_wallets

    async def _join_kafka(self) -> CommandPublisher:
        self._publisher = await CommandPublisher.start(self._settings)
        self._kafka_answered_at = self._environment.monotonic()
        self._readiness.kafka = None
        return self._publisher

    def _leave_postgres(self) -> None:
        metrics.OLDEST_SNAPSHOT_SECONDS.set(math.nan)
        self._looked_for_snapshots_at = -math.inf
        if self._due_wallets is not None:
            self._due_wallets.close()
            self._due_wallets = None

    async def _leave_kafka(self) -> None:
        if self._publisher is not None:
            publisher, self._publisher = self._publisher, None
            await publisher.stop()
