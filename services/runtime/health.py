"""Health: /healthz says that the process runs, /readyz whether it can do its work.

Readiness is asked for at the moment of the request: a list of reasons why not, empty
when ready. /metrics shows the default Prometheus registry.
"""

from collections.abc import Callable
from typing import Self

import msgspec
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

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


def health_routes(readiness: Readiness) -> list[web.RouteDef]:
    """The three routes, for a process that has an HTTP server already."""

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def readyz(_: web.Request) -> web.Response:
        reasons = readiness()
        body = {"status": "not ready" if reasons else "ready", "reasons": reasons}
        return web.Response(
            status=503 if reasons else 200,
            body=msgspec.json.encode(body),
            content_type="application/json",
        )

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [
        web.get("/healthz", healthz),
        web.get("/readyz", readyz),
        web.get("/metrics", metrics),
    ]


class HealthServer:
    """A small HTTP server for a process that has none. Port 0: there is no server.

    Use it as `async with HealthServer(settings.health_port, readiness):`.
    """

    def __init__(self, port: int, readiness: Readiness, host: str = "127.0.0.1") -> None:
        self._port = port
        self._host = host
        self._readiness = readiness
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen. Raises `OSError` if the port is taken."""
        if self._port == 0:
            return
        app = web.Application()
        app.add_routes(health_routes(self._readiness))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()

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
