"""The Credit Wallets API's calls that look at a transaction or a transfer."""

from services.gateway.answers import JSON, Answer
from services.gateway.calls import Call
from services.gateway.credit_wallets.listing import reading_headers
from services.gateway.credit_wallets.names import (
    named_transaction,
    named_transfer,
    unknown_transaction,
    unknown_transfer,
)
from services.gateway.credit_wallets.rendering import render_transaction, render_transfer
from services.gateway.reads import Reads


class MovementQueries:
    """Handlers; each asks the read model, or the log, and renders what it says."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads

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
