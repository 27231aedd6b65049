"""What the trial balance says of itself to Prometheus: whether it is nought, how far it is."""

from typing import Final

from projections.interface import Connection
from projections.trial_balance.read_model import differences, read_reached
from services.projector import metrics

BOOKS: Final = "trial_balance"


async def observe_books(connection: Connection) -> None:
    """Set the gauges."""
    for currency, difference in (await differences(connection)).items():
        metrics.TRIAL_BALANCE_DIFFERENCE.labels(currency).set(difference)
    reached = await read_reached(connection)
    metrics.TRIAL_BALANCE_POSITION.set(reached.position)
    metrics.TRIAL_BALANCE_LAG.set(reached.head - reached.position)
