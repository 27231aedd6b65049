"""The calls of the Credit Wallets API that only look: answered from the read models."""

from typing import Final, get_args

from schemas.http.credit_wallets import TransactionStatus
from schemas.money import is_currency
from schemas.results import TransactionType, WalletStatus
from services.gateway.answers import JSON, Answer, etag
from services.gateway.calls import Call, invalid_parameter
from services.gateway.credit_wallets.listing import (
    asked_page,
    lag_header,
    one_of,
    reading_headers,
)
from services.gateway.credit_wallets.names import named_wallet, unknown_wallet
from services.gateway.credit_wallets.rendering import (
    render_transaction_page,
    render_wallet,
    render_wallet_page,
)
from services.gateway.fields import MAX_NAME_CHARACTERS
from services.gateway.reads import Reads

_WALLET_STATUSES: Final[tuple[WalletStatus, ...]] = get_args(WalletStatus)
_TRANSACTION_TYPES: Final[tuple[TransactionType, ...]] = get_args(TransactionType)
_TRANSACTION_STATUSES: Final[tuple[TransactionStatus, ...]] = get_args(TransactionStatus)


class WalletQueries:
    """Handlers; each reads its query, asks the read model and renders what it says."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads

    async def wallet(self, call: Call) -> Answer:
        """`GET /wallets/:id`: 200 and the wallet; 304 if the client has this version."""
        (as_of,) = call.query("as_of")
        if as_of is not None:
            # Ignored, it would show today's balance to a client that asked for another day's.
            raise invalid_parameter("as_of", "is not supported yet")
        wallet_id = named_wallet(call)
        found = await self._reads.wallet(
            call.principal.tenant_id, wallet_id, eventual=call.eventual
        )
        if found is None:
            raise unknown_wallet()
        headers_bytes = etag(found.view.version) + lag_header(found.lag, eventual=call.eventual)
        known = call.request.headers.get("If-None-Match")
        if known is not None and _names(known, found.view.version):
            return Answer(304, headers_bytes)
        return Answer(200, JSON + headers_bytes, render_wallet(found.view))

    async def transactions(self, call: Call) -> Answer:
        """`GET /wallets/:id/transactions`: 200 and a page, newest first."""
        type_text, status_text, limit_text, after_text = call.list_query(
            "type", "status", "limit", "after"
        )
        transaction_type = one_of("type", type_text, _TRANSACTION_TYPES)
        status = one_of("status", status_text, _TRANSACTION_STATUSES) or "completed"
        tenant_id, wallet_id = call.principal.tenant_id, call.parameters[0]
        filters = (tenant_id, wallet_id, transaction_type, status)
        asked = asked_page("transactions", filters, limit=limit_text, after=after_text)
        reading = await self._reads.transactions(
            tenant_id,
            named_wallet(call),
            transaction_type=transaction_type,
            status=status,
            limit=asked.entries_to_read,
            before_version=asked.after,
            eventual=call.eventual,
        )
        if reading is None:
            raise unknown_wallet()
        shown, cursor = asked.cut(reading.lines, lambda line: line.transaction.version)
        headers_bytes = reading_headers(call, reading.complete_to_version, reading.behind)
        return Answer(200, headers_bytes, render_transaction_page(shown, cursor))

    async def wallets(self, call: Call) -> Answer:
        """`GET /wallets`: 200 and a page, the newest wallet first."""
        customer_id, currency, status_text, limit_text, after_text = call.list_query(
            "customer_id", "currency", "status", "limit", "after"
        )
        if customer_id is not None and not 1 <= len(customer_id) <= MAX_NAME_CHARACTERS:
            raise invalid_parameter(
                "customer_id", f"must have 1 to {MAX_NAME_CHARACTERS} characters"
            )
        if currency is not None and not is_currency(currency):
            raise invalid_parameter("currency", "must be an ISO 4217 code, such as GHS")
        status = one_of("status", status_text, _WALLET_STATUSES)
        tenant_id = call.principal.tenant_id
        filters = (tenant_id, customer_id, currency, status)
        asked = asked_page("wallets", filters, limit=limit_text, after=after_text)
        found = await self._reads.wallets(
            tenant_id,
            customer_id=customer_id,
            currency=currency,
            status=status,
            limit=asked.entries_to_read,
            before_position=asked.after,
            eventual=call.eventual,
        )
        shown, cursor = asked.cut(found.wallets, lambda row: row.opened_position)
        if cursor is None and found.looked_to is not None:
            # What follows was not looked at yet: the page may be short, and is not the last.
            cursor = asked.cursor_behind(found.looked_to)
        return Answer(200, JSON, render_wallet_page([row.view for row in shown], cursor))


def _names(if_none_match: str, version: int) -> bool:
    """Whether `If-None-Match` lists this version's ETag; weak ones count too."""
    tags = (tag.strip().removeprefix("W/") for tag in if_none_match.split(","))
    return any(tag in ("*", f'"{version}"') for tag in tags)
