"""A call: one HTTP request on its way to its handler."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from ledger.command_handling.gate import text_problem
from services.gateway.authentication import Principal
from services.gateway.problems import RefusedError
from services.gateway.rate_limits.allowances import Allowance
from services.gateway.requests import MAX_BODY_BYTES, malformed, read_body

_MAX_QUERY_FIELDS: Final = 32

NEVER_IGNORED: Final = frozenset(
    (
        *("cursor", "next_cursor", "after", "before", "starting_after", "ending_before"),
        *("page", "page_number", "offset"),
        *("from", "to", "since", "until", "start_date", "end_date"),
        *("sort", "order"),
        "as_of",
    )
)
"""Names that page through a list, cut a range out of it, order it, or ask for a day in the past.

A list that ignored one would answer what was not asked for: its first page for ever, all of it, or
today's figures.
"""


class Call:
    """A request with who sends it. `parameters` are the segments that `*` stands for."""

    __slots__ = (
        "allowance",
        "correlation_id",
        "parameters",
        "query_text",
        "readmit",
        "request",
        "request_id",
        "sender",
    )

    def __init__(
        self,
        request: web.BaseRequest,
        *,
        request_id: str,
        correlation_id: str,
        query_text: str,
    ) -> None:
        self.request = request
        self.request_id = request_id
        self.correlation_id = correlation_id
        self.query_text = query_text
        self.parameters: tuple[str, ...] = ()
        self.sender: Principal | None = None
        self.allowance: Allowance | None = None
        """What the sender may ask for; none where the route needs no credentials."""
        # Given the call, not made with it: a call that refers to itself is freed by the garbage
        # collector only, which stops everything for tens of milliseconds to find it.
        self.readmit: Callable[[Call], Awaitable[None]] | None = None
        """Finds both anew; none where the route needs no credentials."""

    @property
    def principal(self) -> Principal:
        """Who sends it. Only for routes that need credentials."""
        assert self.sender is not None, "the route is public"
        return self.sender

    @property
    def allowed(self) -> Allowance:
        """What the sender may ask for. Only for routes that need credentials."""
        assert self.allowance is not None, "the route is public"
        return self.allowance

    async def check_again(self) -> None:
        """See who sends it by now, and what that may ask for: a call may take long to come.

        Refuses with 401 `unauthorized` who was revoked meanwhile.
        """
        if self.readmit is not None:
            await self.readmit(self)

    async def body(self, max_bytes: int = MAX_BODY_BYTES) -> bytes:
        """The body, by `read_body`, of who may still send it when all of it has come."""
        came_with_the_head = self.request.content.is_eof()
        body = await read_body(self.request, max_bytes)
        if not came_with_the_head:
            await self.check_again()
        return body

    @property
    def eventual(self) -> bool:
        """Whether the client takes what the read model shows now, however old."""
        return self.request.headers.get("Ledger-Consistency", "").lower() == "eventual"

    def query(self, *names: str) -> Iterator[str | None]:
        """The values of query parameters, in the order of `names`; others are ignored.

        Refuses a parameter that is given twice, or cannot be read as text.
        """
        return self._values(names, frozenset())

    def list_query(self, *names: str) -> Iterator[str | None]:
        """The same of a list, which also refuses `NEVER_IGNORED`, unless it is one of `names`.

        What else it does not know may be a tracing id, or defeat a cache.
        """
        return self._values(names, NEVER_IGNORED)

    def _values(self, names: tuple[str, ...], refused: frozenset[str]) -> Iterator[str | None]:
        if not self.query_text:
            return iter((None,) * len(names))
        try:
            pairs = parse_qsl(
                self.query_text,
                keep_blank_values=True,
                errors="strict",
                max_num_fields=_MAX_QUERY_FIELDS,
            )
        except ValueError:
            raise malformed("the query cannot be read, or has too many parameters") from None
        values: dict[str, str] = {}
        for name, value in pairs:
            if name not in names:
                if name in refused:
                    raise _not_of_this_list(name, names)
                continue
            if name in values:
                raise invalid_parameter(name, "must be given once")
            if what := text_problem(value):
                raise invalid_parameter(name, what)
            values[name] = value
        return iter([values.get(name) for name in names])


def invalid_parameter(name: str, detail: str) -> RefusedError:
    """The 400 for a query parameter: `invalid_limit`, `invalid_cursor` and so on."""
    return RefusedError(_PARAMETER_CODES.get(name, "invalid_parameter"), detail, param=name)


def _not_of_this_list(name: str, names: tuple[str, ...]) -> RefusedError:
    # Not `invalid_cursor` for `after`: that would say that it was read.
    detail = f"is no parameter of this list, which takes {', '.join(names)}"
    return RefusedError("invalid_parameter", detail, param=name)


_PARAMETER_CODES: Final = {
    "limit": "invalid_limit",
    "after": "invalid_cursor",
    "type": "invalid_type",
    "status": "invalid_status",
}
