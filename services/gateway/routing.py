"""The route table: which handler answers a method and a path.

A path is looked up segment by segment, so the cost does not grow with the number of
routes. A segment `*` in a pattern takes any one segment, which the handler gets.
"""

from collections.abc import Awaitable, Callable
from typing import Generic, NamedTuple, TypeVar

from services.gateway.answers import Answer

CallT = TypeVar("CallT")


class Route(NamedTuple, Generic[CallT]):
    """What answers a call, and the scope that its credentials need (none: it is public)."""

    answer: Callable[[CallT], Awaitable[Answer]]
    scope: str | None
    name: str
    """The pattern, by which metrics and logs name the route."""


class _Node(Generic[CallT]):
    __slots__ = ("any_segment", "hint", "routes", "segments")

    def __init__(self) -> None:
        self.segments: dict[str, _Node[CallT]] = {}
        self.any_segment: _Node[CallT] | None = None
        self.routes: dict[str, Route[CallT]] = {}
        self.hint: str | None = None


class Found(NamedTuple, Generic[CallT]):
    """What a path leads to: a route by method, and the segments that `*` took.

    Without any route the path is unknown; `hint` may say why.
    """

    routes: dict[str, Route[CallT]]
    parameters: tuple[str, ...]
    hint: str | None

    def allowed(self) -> str:
        """The methods of the path, as the header `Allow` lists them."""
        methods = set(self.routes) | ({"HEAD"} if "GET" in self.routes else set())
        return ", ".join(sorted(methods))


class RouteTable(Generic[CallT]):
    """Every route of the gateway."""

    def __init__(self) -> None:
        self._root: _Node[CallT] = _Node()
        self._unknown: Found[CallT] = Found({}, (), None)

    def add(
        self,
        method: str,
        pattern: str,
        answer: Callable[[CallT], Awaitable[Answer]],
        *,
        scope: str | None,
    ) -> None:
        """Let `answer` answer `method` under `pattern`; a route may be added only once."""
        routes = self._node(pattern).routes
        assert method not in routes, f"{method} {pattern} has two routes"
        routes[method] = Route(answer, scope, pattern)

    def add_hint(self, pattern: str, hint: str) -> None:
        """Say why there is nothing under `pattern`, for paths that a client may expect."""
        self._node(pattern).hint = hint

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
        return Found(node.routes, parameters, node.hint)

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
