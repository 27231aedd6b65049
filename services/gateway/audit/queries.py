"""The call that shows the audit log. It reads the log itself, so nothing can be behind."""

from collections.abc import Sequence
from typing import Final

import msgspec

from ledger.tenants.audit import AuditEntry, audit_page
from services.gateway.answers import JSON, Answer
from services.gateway.audit.wallet_events import EventQueries
from services.gateway.calls import Call
from services.gateway.credit_wallets.listing import asked_page
from services.gateway.credit_wallets.rendering import render_moment
from services.gateway.database import Database, Pool
from services.gateway.routing import RouteTable
from services.gateway.scopes import ADMIN, READ

_LIST: Final = "audit_log"
_encode = msgspec.json.Encoder().encode


def add_audit_log(routes: RouteTable[Call], database: Database) -> None:
    """Add the routes that show what the log has: of the tenant itself, and of a wallet."""
    routes.add("GET", "/v1/audit-log", AuditQueries(database).entries, scope=ADMIN)
    routes.add("GET", "/v1/wallets/*/events", EventQueries(database).events, scope=READ)


class AuditQueries:
    """The handler."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def entries(self, call: Call) -> Answer:
        """`GET /audit-log`: 200 and a page, newest first."""
        limit_text, after_text = call.list_query("limit", "after")
        tenant_id = call.principal.tenant_id
        page = asked_page(_LIST, (tenant_id,), limit=limit_text, after=after_text)

        async def ask(pool: Pool) -> list[AuditEntry]:
            async with pool.acquire() as connection:
                return await audit_page(connection, tenant_id, page.before, page.entries_to_read)

        found = await self._database.read(tenant_id, ask)
        return Answer(200, JSON, _page(*page.cut(found, lambda entry: entry.position)))


def _page(entries: Sequence[AuditEntry], next_cursor: str | None) -> bytes:
    return _encode(
        {
            "data": [_entry(entry) for entry in entries],
            "has_more": next_cursor is not None,
            "next_cursor": next_cursor,
        }
    )


def _entry(entry: AuditEntry) -> dict[str, object]:
    return {
        "id": entry.event_id,
        "action": entry.action,
        "who": entry.who,
        "reason": entry.reason,
        "wallet_id": entry.wallet_id,
        "details": entry.details,
        "position": entry.position,
        "created_at": render_moment(entry.at),
    }
