"""The calls of the Credit Wallets API that look at one top-up, or at all of a wallet."""

from typing import Final, get_args

from projections.balances.topups import TOPUPS
from schemas.results import TopupStatus
from services.gateway.answers import Answer
from services.gateway.calls import Call
from services.gateway.credit_wallets.listing import (
    asked_page,
    one_of,
    reading_headers,
)
from services.gateway.credit_wallets.names import (
    named_topup,
    named_wallet,
    unknown_topup,
    unknown_wallet,
)
from services.gateway.credit_wallets.rendering import render_topup, render_topup_page
from services.gateway.reads import Reads
from services.gateway.topup_door import TopupDoor

_TOPUP_STATUSES: Final[tuple[TopupStatus, ...]] = get_args(TopupStatus)


class TopupQueries:
    """Handlers; each asks the read model and renders what it says."""

    def __init__(self, reads: Reads, door: TopupDoor) -> None:
        self._reads = reads
        self._door = door

    async def topup(self, call: Call) -> Answer:
        """`GET /topups/:id`: 200 and the top-up."""
        reading = await self._reads.part(
            TOPUPS, call.principal.tenant_id, named_topup(call), eventual=call.eventual
        )
        if reading is None or reading.view is None:
            raise unknown_topup()
        headers_bytes = reading_headers(call, reading.complete_to_version, reading.behind)
        view = reading.view
        return Answer(200, headers_bytes, render_topup(view, self._door.checkout_url(view.id)))

    async def topups(self, call: Call) -> Answer:
        """`GET /wallets/:id/topups`: 200 and a page, newest first."""
        status_text, limit_text, after_text = call.list_query("status", "limit", "after")
        status = one_of("status", status_text, _TOPUP_STATUSES)
        tenant_id, wallet_id = call.principal.tenant_id, call.parameters[0]
        asked = asked_page(
            "topups", (tenant_id, wallet_id, status), limit=limit_text, after=after_text
        )
        reading = await self._reads.parts(
            TOPUPS,
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
        views = [each.view for each in shown]
        return Answer(200, headers_bytes, render_topup_page(views, self._door.checkout_url, cursor))
