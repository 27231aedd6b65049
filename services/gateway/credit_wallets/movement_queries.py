"""The Credit Wallets API's calls that look at a hold, transfer or transaction, or all holds."""

from typing import Final, get_args

from projections.balances.holds import HOLDS
from schemas.results import HoldStatus
from services.gateway.answers import JSON, Answer
from services.gateway.calls import Call
from services.gateway.credit_wallets.listing import (
    asked_page,
    one_of,
    reading_headers,
)
from services.gateway.credit_wallets.names import (
    named_hold,
    named_transaction,
    named_transfer,
    named_wallet,
    unknown_hold,
    unknown_transaction,
    unknown_transfer,
    unknown_wallet,
)
from services.gateway.credit_wallets.rendering import (
    render_hold,
    render_hold_page,
    render_transaction,
    render_transfer,
)
from services.gateway.reads import Reads

_HOLD_STATUSES: Final[tuple[HoldStatus, ...]] = get_args(HoldStatus)


class MovementQueries:
    """Handlers; each asks the read model, or the log, and renders what it says."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads

    async def hold(self, call: Call) -> Answer:
        """`GET /holds/:id`: 200 and the hold."""
        reading = await self._reads.part(
            HOLDS, call.principal.tenant_id, named_hold(call), eventual=call.eventual
        )
        if reading is None or reading.view is None:
            raise unknown_hold()
        headers_bytes = reading_headers(call, reading.complete_to_version, reading.behind)
        return Answer(200, headers_bytes, render_hold(reading.view))

    async def holds(self, call: Call) -> Answer:
        """`GET /wallets/:id/holds`: 200 and a page, newest first."""
        status_text, limit_text, after_text = call.list_query("status", "limit", "after")
        status = one_of("status", status_text, _HOLD_STATUSES)
        tenant_id, wallet_id = call.principal.tenant_id, call.parameters[0]
        asked = asked_page(
            "holds", (tenant_id, wallet_id, status), limit=limit_text, after=after_text
        )
        reading = await self._reads.parts(
            HOLDS,
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
        return Answer(200, headers_bytes, render_hold_page([each.view for each in shown], cursor))

    async def transaction(self, call: Call) -> Answer:
        """`GET /transactions/:id`: 200 and the transaction."""
        reading = await self._reads.transaction(
            call.principal.tenant_id, named_transaction(call), eventual=call.eventual
        )
        if reading is None or reading.line is None:
            raise unknown_transaction()
        headers_bytes = reading_headers(call, reading.complete_to_version, reading.behind)
        return Answer(200, headers_bytes, render_transaction(*reading.line))

    async def transfer(self, call: Call) -> Answer:
        """`GET /transfers/:id`: 200 and the transfer."""
        view = await self._reads.transfer(call.principal.tenant_id, named_transfer(call))
        if view is None:
            raise unknown_transfer()
        return Answer(200, JSON, render_transfer(view))
