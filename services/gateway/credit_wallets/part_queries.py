"""The Credit Wallets API's calls that look at a hold or a top-up, or at all of a wallet."""

from collections.abc import Callable
from typing import Generic

from projections.balances.parts import EventT, PartKind, ViewT
from services.gateway.answers import Answer
from services.gateway.calls import Call
from services.gateway.credit_wallets.listing import asked_page, one_of, reading_headers
from services.gateway.credit_wallets.names import named_wallet, unknown_wallet
from services.gateway.credit_wallets.rendering import render_page
from services.gateway.problems import RefusedError
from services.gateway.reads import Reads


class PartQueries(Generic[ViewT, EventT]):
    """Handlers for one kind of part; each asks the read model and renders what it says.

    `named` is the id that a path has, `unknown` the 404 for a part that the tenant does not have.
    """

    def __init__(
        self,
        reads: Reads,
        kind: PartKind[ViewT, EventT],
        render: Callable[[ViewT], bytes],
        *,
        statuses: tuple[str, ...],
        named: Callable[[Call], str],
        unknown: Callable[[], RefusedError],
    ) -> None:
        self._reads = reads
        self._kind = kind
        self._render = render
        self._statuses = statuses
        self._named = named
        self._unknown = unknown

    async def one(self, call: Call) -> Answer:
        """`GET /holds/:id`, `GET /topups/:id`: 200 and the part."""
        reading = await self._reads.part(
            self._kind, call.principal.tenant_id, self._named(call), eventual=call.eventual
        )
        if reading is None or reading.view is None:
            raise self._unknown()
        headers_bytes = reading_headers(call, reading.complete_to_version, reading.behind)
        return Answer(200, headers_bytes, self._render(reading.view))

    async def of_wallet(self, call: Call) -> Answer:
        """`GET /wallets/:id/holds`, `GET /wallets/:id/topups`: 200 and a page, newest first."""
        status_text, limit_text, after_text = call.list_query("status", "limit", "after")
        status = one_of("status", status_text, self._statuses)
        tenant_id, wallet_id = call.principal.tenant_id, call.parameters[0]
        asked = asked_page(
            self._kind.table, (tenant_id, wallet_id, status), limit=limit_text, after=after_text
        )
        reading = await self._reads.parts(
            self._kind,
            tenant_id,
            named_wallet(call),
            status=status,
            limit=asked.entries_to_read,
            before_version=asked.after,
            eventual=call.eventual,
        )
        if reading is None:
            raise unknown_wallet()
        shown, cursor = asked.cut(reading.parts, lambda each: each.opened_version)
        headers_bytes = reading_headers(call, reading.complete_to_version, reading.behind)
        rendered = [self._render(each.view) for each in shown]
        return Answer(200, headers_bytes, render_page(rendered, cursor))
