"""The application: the one way that each call takes through the process.

It stands on aiohttp's low-level server with a route table of its own: the full framework
costs twice as much per request, and none of what it adds is used here.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import structlog
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler

from services.gateway.answers import Answer, header
from services.gateway.calls import Call
from services.gateway.dialects import Dialect
from services.gateway.metrics import RequestMetrics
from services.gateway.problems import RefusedError, problem
from services.gateway.rate_limits.allowances import RateLimits
from services.gateway.request_ids import RequestIds
from services.gateway.requests import MAX_BODY_BYTES, trace_id
from services.gateway.routing import Found, Route, RouteTable

SLOW_SECONDS: Final = 1.0
KEEP_ALIVE_SECONDS: Final = 75.0
_LINGERING_SECONDS: Final = 2.0
_REQUEST_ID_HEADER: Final = "X-Request-Id"

_log = structlog.get_logger(__name__)


class Gateway:
    """Takes each request from aiohttp to its handler, and its answer back.

    `dialect` is that of every path but those that begin as `others` say.
    """

    def __init__(
        self,
        *,
        routes: RouteTable[Call],
        dialect: Dialect,
        others: Mapping[str, Dialect],
        request_ids: RequestIds,
        metrics: RequestMetrics,
        limits: RateLimits,
        monotonic: Callable[[], float],
    ) -> None:
        self._routes = routes
        self._dialect = dialect
        self._others = tuple(others.items())
        self._request_ids = request_ids
        self._metrics = metrics
        self._limits = limits
        self._monotonic = monotonic

    async def handle(self, request: web.BaseRequest) -> Answer:
        """Answer one request. Whatever is raised on the way becomes a problem."""
        started = self._monotonic()
        headers = request.headers
        request_id = trace_id(headers.get(_REQUEST_ID_HEADER))
        if request_id is None:
            request_id = self._request_ids.make(headers.get("Idempotency-Key"))
        path, _, query_text = request.raw_path.partition("?")
        call = Call(
            request,
            request_id=request_id,
            correlation_id=trace_id(headers.get("X-Correlation-Id")) or request_id,
            query_text=query_text,
        )
        dialect = self._dialect_of(path)
        route: Route[Call] | None = None
        failure: Exception | None = None
        try:
            route = self._routed(call, self._routes.find(path))
            if route.scope is not None:
                await self._admit(call, route.scope, dialect, route.name)
            answer = await route.answer(call)
        except Exception as error:  # noqa: BLE001 - mapped in one place, and logged below
            failure = error
            answer = dialect.failure(error, request_id)
        answer.headers_bytes += header(_REQUEST_ID_HEADER, request_id)
        if call.allowance is not None:
            answer.headers_bytes += call.allowance.header_lines()
        seconds = self._monotonic() - started
        self._metrics.count(
            route.name if route is not None else "", request.method, answer.status, seconds
        )
        if answer.status >= 400 or seconds > SLOW_SECONDS:
            _note(call, route, answer, seconds, failure)
        return answer

    def _routed(self, call: Call, found: Found[Call]) -> Route[Call]:
        if not found.routes:
            raise RefusedError("not_found", "there is nothing under this path")
        method = call.request.method
        route = found.routes.get("GET" if method == "HEAD" else method)
        if route is None:
            allowed = found.allowed()
            raise RefusedError(
                "method_not_allowed",
                f"the path takes {allowed}",
                headers=(("Allow", allowed),),
            )
        call.parameters = found.parameters
        return route

    async def _admit(self, call: Call, scope: str, dialect: Dialect, route_name: str) -> None:
        identify = partial(self._identify, dialect, route_name)
        try:
            await identify(call)
        except RefusedError:
            self._limits.failed.count(call.request.remote)
            raise
        call.readmit = identify
        call.allowed.take_call()
        if scope not in call.principal.scopes:
            raise RefusedError("forbidden", f"the credentials lack the scope {scope}")

    async def _identify(self, dialect: Dialect, route_name: str, call: Call) -> None:
        """Find who sends the call, and what that may ask for: both as they are now."""
        call.sender = await dialect.authenticate(call, route_name)
        call.allowance = self._limits.of(call.sender)

    def _dialect_of(self, path: str) -> Dialect:
        for beginning, dialect in self._others:
            if path.startswith(beginning):
                return dialect
        return self._dialect

    def unreadable(self, status: int) -> Answer:
        """The answer to what is not HTTP, or breaks the parser's limits."""
        request_id = self._request_ids.make(None)
        self._metrics.count("", "", status, 0.0)
        if status >= 500:
            answer = problem("internal_error", "the fault is ours and is logged", request_id)
        else:
            answer = problem("malformed_request", "the request cannot be read as HTTP", request_id)
        answer.headers_bytes += header(_REQUEST_ID_HEADER, request_id)
        return answer


class GatewayServer(web.Server):
    """aiohttp's low-level server, answering also what it cannot parse with a problem."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(gateway.handle, request_factory=_limited_request)
        self._gateway = gateway

    def __call__(self) -> RequestHandler:
        """The handler of one connection."""
        # A compressed body is refused, so nothing is ever decompressed; and aiohttp's own
        # access log is replaced by `_note` and the metrics.
        options: dict[str, Any] = {
            "access_log": None,
            "auto_decompress": False,
            "keepalive_timeout": KEEP_ALIVE_SECONDS,
            "lingering_time": _LINGERING_SECONDS,
        }
        return _Connection(self, self._gateway, options)


class _Connection(RequestHandler):
    __slots__ = ("_gateway",)

    def __init__(self, server: web.Server, gateway: Gateway, options: dict[str, Any]) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), **options)
        self._gateway = gateway

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> Answer:
        """Answer what failed before or after the handler; the connection is closed."""
        _log.warning("request_unreadable", status=status, error=type(exc).__name__)
        answer = self._gateway.unreadable(status)
        self.close()
        return answer


def _limited_request(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: RequestHandler,
    writer: AbstractStreamWriter,
    task: "asyncio.Task[None]",
) -> web.BaseRequest:
    # The task's loop: asking asyncio for it costs a system call, with each request.
    return web.BaseRequest(
        message, payload, protocol, writer, task, task.get_loop(), client_max_size=MAX_BODY_BYTES
    )


def _note(
    call: Call,
    route: Route[Call] | None,
    answer: Answer,
    seconds: float,
    failure: Exception | None,
) -> None:
    """Log a call that did not go well, or took long. Never its body, path or credentials."""
    status = answer.status
    level = "error" if status == 500 else "warning" if status >= 500 else "info"
    sender = call.sender
    getattr(_log, level)(
        "request_answered",
        request_id=call.request_id,
        correlation_id=call.correlation_id,
        method=call.request.method,
        route=route.name if route is not None else None,
        status=status,
        duration_ms=round(seconds * 1000, 1),
        key_id=sender.key_id if sender is not None else None,
        reason=answer.code,
        exc_info=failure if status == 500 else None,
    )
