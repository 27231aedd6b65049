"""`ledger repartition`, as a process: its connection, and what it shows."""

from rich.console import Console

from services.repartition.display import Display
from services.repartition.repartition import Repartition, RepartitionFailedError
from services.runtime.environment import SystemEnvironment
from services.runtime.postgres import connect
from services.runtime.settings import Settings


async def run(settings: Settings, partitions: int | None) -> int:
    """Fill a new generation and let it take over; 0 when done, 1 with the reason if not."""
    settings.require_kafka_bootstrap()
    display = Display(Console())
    connection = await connect(settings.require_database_url(), "ledger-repartition")
    try:
        await Repartition(settings, connection, SystemEnvironment(), display).run(partitions)
    except RepartitionFailedError as error:
        display.failed(str(error))
        return 1
    finally:
        await connection.close()
    return 0
