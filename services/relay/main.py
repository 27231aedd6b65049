"""The relay's composition root: `ledger relay`."""

import structlog

from services.relay.refusals import RelayRefusesError
from services.relay.relay import Relay
from services.runtime.environment import SystemEnvironment
from services.runtime.health import HealthServer, ServersReadiness
from services.runtime.settings import Settings

_log = structlog.get_logger()


async def run(settings: Settings) -> None:
    """Relay until cancelled. Exits with 1 where only an operator can decide how to go on."""
    settings.require_kafka_bootstrap()
    readiness = ServersReadiness()
    relay = Relay(settings, SystemEnvironment(), readiness)
    async with HealthServer.of(settings, readiness.reasons):
        try:
            await relay.run()
        except RelayRefusesError as error:
            _log.critical(error.code, **error.details)
            raise SystemExit(1) from error
