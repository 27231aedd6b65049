"""The scheduler's composition root: `ledger scheduler`."""

import asyncio

import structlog

from services.runtime.environment import SystemEnvironment
from services.runtime.health import HealthServer, ServersReadiness
from services.runtime.settings import Settings
from services.scheduler.scheduler import Scheduler
from services.scheduler.upkeep import Upkeep

_log = structlog.get_logger()


async def run(settings: Settings) -> None:
    """Publish what is due until cancelled. Raises `SettingsError` where a server is not named."""
    settings.require_database_url()
    settings.require_kafka_bootstrap()
    environment = SystemEnvironment()
    readiness = ServersReadiness()
    scheduler = Scheduler(settings, environment, readiness)
    upkeep = Upkeep(settings, environment)
    async with HealthServer.of(settings, readiness.reasons), asyncio.TaskGroup() as both:
        _log.info("scheduler_started", topic=settings.commands_topic)
        both.create_task(upkeep.run(), name="upkeep")
        await scheduler.run()
