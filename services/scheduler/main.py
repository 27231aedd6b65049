"""The scheduler's composition root: `ledger scheduler`."""

import structlog

from services.runtime.environment import SystemEnvironment
from services.runtime.health import HealthServer, ServersReadiness
from services.runtime.settings import Settings
from services.scheduler.scheduler import Scheduler

_log = structlog.get_logger()


async def run(settings: Settings) -> None:
    """Publish what is due until cancelled. Raises `SettingsError` where a server is not named."""
    settings.require_database_url()
    settings.require_kafka_bootstrap()
    readiness = ServersReadiness()
    scheduler = Scheduler(settings, SystemEnvironment(), readiness)
    async with HealthServer(settings.health_port, readiness.reasons):
        _log.info("scheduler_started", topic=settings.commands_topic)
        await scheduler.run()
