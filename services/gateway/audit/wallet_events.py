"""The call that shows a wallet's own events: what happened to it, when, and who asked for it.

It reads the log itself, so nothing can be behind.
"""

from typing import Final

import asyncpg
import msgspec

from schemas.events import EventMetadata
from schemas.identifiers import hex_of
from services.gateway.answers import JSON, Answer, etag
from services.gateway.calls import Call
from services.gateway.credit_wallets.listing import asked_page
from services.gateway.credit_wallets.names import named_wallet, unknown_wallet
from services.gateway.credit_wallets.rendering import render_moment, render_page
from services.gateway.database import Database, Pool
from services.runtime.sql import load_statement

_PAGE: Final = load_statement(__file__, "wallet_events")
_NOT_SHOWN: Final = ("type", "identity")
"""The first stands beside the others; the second is a person, sealed."""

_encode = msgspec.json.Encoder().encode
_members_of = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_metadata_of = msgspec.json.Decoder(EventMetadata).decode


class EventQueries:
    """The handler."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def events(self, call: Call) -> Answer:
        """`GET /wallets/:id/events`: 200 and a page, newest first."""
        limit_text, after_text = call.list_query("limit", "after")
        tenant_id, wallet_id = call.principal.tenant_id, named_wallet(call)
        asked = asked_page("events", (tenant_id, wallet_id), limit=limit_text, after=after_text)

        async def ask(pool: Pool) -> list[asyncpg.Record]:
            return await pool.fetch(
                _PAGE, tenant_id, hex_of(wallet_id), asked.before, asked.entries_to_read
            )

        rows = await self._database.read(tenant_id, ask)
        if not rows:
            raise unknown_wallet()
        found = [row for row in rows if row["version"] is not None]
        shown, cursor = asked.cut(found, lambda row: row["version"])
        headers_bytes = JSON + etag(rows[0]["newest"])
        return Answer(200, headers_bytes, render_page([_event(row) for row in shown], cursor))


def _event(row: asyncpg.Record) -> bytes:
    metadata = _metadata_of(row["metadata"])
    members = _members_of(row["data"])
    return _encode(
        {
            "id": str(row["event_id"]),
            "type": row["type"],
            "version": row["version"],
            "position": row["position"],
            "who": metadata.who,
            "correlation_id": metadata.correlation_id,
            "command_id": metadata.causation_id,
            "created_at": render_moment(row["recorded_at"]),
            # Member by member as it was written: a number in metadata must not be rounded.
            "data": {name: text for name, text in members.items() if name not in _NOT_SHOWN},
        }
    )
