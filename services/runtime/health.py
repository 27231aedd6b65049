"""Health: /healthz says that the process runs, /readyz whether it can do its work.

Readiness is asked for at the moment of the request: a list of reasons why not, empty
when ready. /metrics shows a Prometheus registry, and the readiness as a number, too.
"""

from collections.abc import Callable
from typing import Self

import msgspec
from aiohttp import web
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Gauge,
    generate_latest,
)

from services.runtime.addresses import ListenError
from services.runtime.settings import Settings

Readiness = Callable[[], list[str]]


class ServersReadiness:
    """Whether both servers can be reached. A process writes here why one cannot be."""

    def __init__(self) -> None:
        self.postgres: str | None = "not connected yet"
        self.kafka: str | None = "not connected yet"

    def reasons(self) -> list[str]:
        """Why this process is not ready; empty if it is."""
        named = (("PostgreSQL", self.postgres), ("Kafka", self.kafka))
        return [f"{name}: {reason}" for name, reason in named if reason is not None]


class ShownHealth:
    """What /readyz and /metrics show: the readiness at that moment, and with it a registry."""

    def __init__(self, registry: CollectorRegistry, readiness: Readiness) -> None:
        self.reasons = readiness
        self._registry = registry
        # Of its own, so that it goes with its door: a process may open another one.
        self._own = CollectorRegistry()
        ready_gauge(readiness, self._own)

    def metrics(self) -> bytes:
        """All metrics, as Prometheus reads them."""
        return generate_latest(self._registry) + generate_latest(self._own)


def ready_gauge(readiness: Readiness, registry: CollectorRegistry) -> None:
    """Put the readiness into a registry, for alarms: Prometheus does not ask /readyz."""
    gauge = Gauge("ledger_ready", "1 while /readyz answers 200, else 0.", registry=registry)
    gauge.set_function(lambda: float(not readiness()))


def health_routes(
    readiness: Readiness, registry: CollectorRegistry = REGISTRY
) -> list[web.RouteDef]:
    """The three routes, for a process that has an HTTP server already."""
    health = ShownHealth(registry, readiness)

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def readyz(_: web.Request) -> web.Response:
        reasons = health.reasons()
        body = {"status": "not ready" if reasons else "ready", "reasons": reasons}
        return web.Response(
            status=503 if reasons else 200,
            body=msgspec.json.encode(body),
            content_type="application/json",
        )

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=health.metrics(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [
        web.get("/healthz", healthz),
        web.get("/readyz", readyz),
        web.get("/metrics", metrics),
    ]


class HealthServer:
    """A small HTTP server, where nobody but the operator comes. Port 0: there is no server.

    Use it as `async with HealthServer.of(settings, readiness):`.
    """

    def __init__(
        self,
        port: int,
        readiness: Readiness,
        host: str = "127.0.0.1",
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        self._port = port
        self._host = host
        self._readiness = readiness
        self._registry = registry
        self._runner: web.AppRunner | None = None

    @classmethod
    def of(
        cls, settings: Settings, readiness: Readiness, registry: CollectorRegistry = REGISTRY
    ) -> Self:
        """The one that the settings ask for, or none."""
        return cls(settings.health_port, readiness, settings.health_host, registry)

    async def start(self) -> None:
        """Listen. Raises `ListenError` where that cannot be done, as when the port is taken."""
        if self._port == 0:
            return
        app = web.Application()
        app.add_routes(health_routes(self._readiness, self._registry))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError as error:
            await self.stop()
            named = "LEDGER_HEALTH_HOST and LEDGER_HEALTH_PORT"
            raise ListenError(named, self._host, self._port, error) from error

    async def stop(self) -> None:
        """Stop listening; does nothing if it never did."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
