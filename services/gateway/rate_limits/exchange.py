"""The exchange: what was used here is told to the other gateways, and what they let through heard.

Without the database each gateway goes on by what it lets through itself.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg
import structlog
from prometheus_client import CollectorRegistry

from ledger.tenants.limits import RateLimit
from services.gateway.database import Database
from services.gateway.problems import ReadsUnavailableError
from services.gateway.rate_limits.allowances import RateLimits
from services.gateway.rate_limits.metrics import RateLimitMetrics
from services.runtime.environment import SystemEnvironment

EVERY_S: Final = 0.5
"""What one gateway tells, another hears when it tells itself: within a second."""

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def shared_limits(
    default: RateLimit,
    database: Database,
    environment: SystemEnvironment,
    registry: CollectorRegistry,
) -> AsyncIterator[RateLimits]:
    """Limits that this process shares with others inside the block.

    At its end is told what was used last.
    """
    metrics = RateLimitMetrics(registry)
    limits = RateLimits(default, environment.monotonic, metrics)
    exchange = UsageExchange(limits, database, metrics)

    async def keep_exchanging() -> None:
        while True:
            await environment.sleep(EVERY_S)
            await exchange.exchange()

    task = asyncio.create_task(keep_exchanging(), name="usage-exchange")
    try:
        yield limits
    finally:
        task.cancel()
        await asyncio.wait((task,))
        await exchange.exchange()


class UsageExchange:
    """Tells and hears, in one statement for all credentials."""

    def __init__(self, limits: RateLimits, database: Database, metrics: RateLimitMetrics) -> None:
        self._limits = limits
        self._database = database
        self._metrics = metrics
        self._is_away = False

    async def exchange(self) -> None:
        """Exchange once. Where that fails it is counted, and logged when it begins to."""
        report = self._limits.report()
        if not report.used and not report.asked:
            return
        try:
            totals = await self._database.exchange_usage(report.used, report.asked)
        except (ReadsUnavailableError, asyncpg.PostgresError) as error:
            self._limits.miss(report)
            self._metrics.failed_exchanges.inc()
            if not self._is_away:
                _log.warning("usage_not_exchanged", error=repr(error))
            self._is_away = True
            return
        except asyncio.CancelledError:
            # The last exchange, when the gateway stops, still says when keys were used.
            self._limits.miss(report)
            raise
        self._is_away = False
        self._limits.hear(report, totals)
