"""A projector's composition root: `ledger projector NAME`."""

import structlog

from projections.interface import ProjectionStoppedError
from projections.registry import PROJECTIONS
from services.projector.metrics import Readiness
from services.projector.projector import Projector
from services.runtime.environment import SystemEnvironment
from services.runtime.health import HealthServer
from services.runtime.settings import Settings

_log = structlog.get_logger()


async def run(settings: Settings, name: str) -> None:
    """Project until cancelled. Exits with 1 where only a person can decide how to go on."""
    settings.require_database_url()
    settings.require_kafka_bootstrap()
    readiness = Readiness()
    projector = Projector(settings, PROJECTIONS[name], SystemEnvironment(), readiness)
    async with HealthServer.of(settings, readiness.reasons):
        try:
            await projector.run()
        except ProjectionStoppedError as error:
            _log.critical(error.code, projection=name, reason=str(error))
            raise SystemExit(1) from error
