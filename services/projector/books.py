"""What the trial balance says of itself to Prometheus: whether it is zero, how far it is."""

from typing import Final

import asyncpg
import structlog

from projections.interface import Connection
from projections.trial_balance.read_model import differences, keep_reached
from services.projector import metrics

BOOKS: Final = "trial_balance"

_log = structlog.get_logger()


async def observe_books(connection: Connection) -> None:
    """Set the gauges, and save how far the journal is complete.

    Where a rebuild is taking the tables over, or another process books, the next second will do.
    """
    try:
        await _observe(connection)
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError) as error:
        _log.info("books_not_observed", reason=str(error))


async def _observe(connection: Connection) -> None:
    for currency, difference in (await differences(connection)).items():
        metrics.TRIAL_BALANCE_DIFFERENCE.labels(currency).set(difference)
    reached = await keep_reached(connection)
    metrics.TRIAL_BALANCE_POSITION.set(reached.position)
    metrics.TRIAL_BALANCE_LAG.set(reached.head - reached.position)
