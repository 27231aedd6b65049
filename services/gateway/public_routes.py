"""What the gateway serves to anyone: documents, and how it is.

Readiness and metrics are here only where they have no door of their own.
"""

from typing import Final

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST

from services.gateway.answers import JSON, Answer, header
from services.gateway.calls import Call
from services.gateway.docs import PublicDocument
from services.gateway.routing import RouteTable
from services.runtime.health import ShownHealth

_METRICS_TYPE: Final = header("Content-Type", CONTENT_TYPE_LATEST)

_SENT_ON: Final = {"/": "docs", "/docs/": "../docs", "/baas/docs/": "../docs"}
"""What people type, and the page that they mean: relative, as there may be a prefix."""


def add_public_routes(
    routes: RouteTable[Call],
    documents: dict[str, PublicDocument],
    health: ShownHealth | None,
) -> None:
    """Add the public routes. Without `health` they say that the process runs, and no more of it."""
    for path, document in documents.items():
        routes.add("GET", path, _Served(document).answer, scope=None)
    for path, page in _SENT_ON.items():
        routes.add("GET", path, _SentOn(page).answer, scope=None)
    routes.add("GET", "/healthz", _healthz, scope=None)
    if health is not None:
        _add_health(routes, health)


def _add_health(routes: RouteTable[Call], health: ShownHealth) -> None:
    async def readyz(_: Call) -> Answer:
        reasons = health.reasons()
        body = {"status": "not ready" if reasons else "ready", "reasons": reasons}
        return Answer(503 if reasons else 200, JSON, msgspec.json.encode(body))

    async def metrics(_: Call) -> Answer:
        return Answer(200, _METRICS_TYPE, health.metrics())

    routes.add("GET", "/readyz", readyz, scope=None)
    routes.add("GET", "/metrics", metrics, scope=None)


class _Served:
    """One document as an answer."""

    def __init__(self, document: PublicDocument) -> None:
        self._document = document
        self._headers = b"".join(header(name, value) for name, value in document.headers)

    async def answer(self, call: Call) -> Answer:
        if call.request.headers.get("If-None-Match") == self._document.etag:
            return Answer(304, self._headers)
        return Answer(200, self._headers, self._document.body)


class _SentOn:
    """An answer that sends a browser on to a page."""

    def __init__(self, page: str) -> None:
        self._location = header("Location", page)

    async def answer(self, _: Call) -> Answer:
        return Answer(302, self._location)


async def _healthz(_: Call) -> Answer:
    return Answer(200, JSON, msgspec.json.encode({"status": "alive"}))
