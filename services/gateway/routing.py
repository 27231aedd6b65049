"""The route table: which handler answers a method and a path.

A path is looked up segment by segment, so the cost does not grow with the number of
routes. A segment `*` in a pattern takes any one segment, which the handler gets.
"""

from collections.abc import Awaitable, Callable
from typing import Generic, NamedTuple, TypeVar

from ledger.tenants.store import Scope
from services.gateway.answers import Answer

CallT = TypeVar("CallT")


class Route(NamedTuple, Generic[CallT]):
    """What answers a call, and the scope that its credentials need (none: it is public)."""

    answer: Callable[[CallT], Awaitable[Answer]]
    scope: Scope | None
    name: str
    """The pattern, by which metrics and logs name the route."""


class _Node(Generic[CallT]):
    __slots__ = ("any_segment", "routes", "segments")

    def __init__(self) -> None:
        self.segments: dict[str, _Node[CallT]] = {}
        self.any_segment: _Node[CallT] | None = None
        self.routes: dict[str, Route[CallT]] = {}


class Found(NamedTuple, Generic[CallT]):
    """What a path leads to: a route by method, and the segments that `*` took.

    Without any route the path is unknown.
    """

    routes: dict[str, Route[CallT]]
    parameters: tuple[str, ...]

    def allowed(self) -> str:
        """The methods of the path, as the header `Allow` lists them."""
        methods = set(self.routes) | ({"HEAD"} if "GET" in self.routes else set())
        return ", ".join(sorted(methods))


class RouteTable(Generic[CallT]):
    """Every route of the gateway."""

    def __init__(self) -> None:
        self._root: _Node[CallT] = _Node()
        self._unknown: Found[CallT] = Found({}, ())

    def add(
        self,
        method: str,
        pattern: str,
        answer: Callable[[CallT], Awaitable[Answer]],
        *,
        scope: Scope | None,
    ) -> None:
        """Let `answer` answer `method` under `pattern`; a route may be added only once."""
        routes = self._node(pattern).routes
        assert method not in routes, f"{method} {pattern} has two routes"
        routes[method] = Route(answer, scope, pattern)

    def find(self, path: str) -> Found[CallT]:
        """What a path leads to. The path starts with a slash and has no query."""
        node = self._root
        parameters: tuple[str, ...] = ()
        for segment in path.split("/")[1:]:
            child = node.segments.get(segment)
            if child is None:
                child = node.any_segment
                if child is None or not segment:
                    return self._unknown
                parameters = (*parameters, segment)
            node = child
        return Found(node.routes, parameters)

    def _node(self, pattern: str) -> _Node[CallT]:
        node = self._root
        for segment in pattern.split("/")[1:]:
            if segment == "*":
                if node.any_segment is None:
                    node.any_segment = _Node()
                node = node.any_segment
            else:
                node = node.segments.setdefault(segment, _Node())
        return node
