"""The audit log: what administrators did, as the log of events tells it."""

from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from ledger.tenants.store import Connection
from schemas.events import EventMetadata
from schemas.identifiers import is_wallet_stream, stream_name

_SQL: Final = Path(__file__).parent / "sql"
_PAGE: Final = (_SQL / "audit_page.sql").read_text(encoding="utf-8")
_EVERYWHERE: Final = (_SQL / "audit_everywhere.sql").read_text(encoding="utf-8")
_TOLD_APART: Final = ("type", "reason")


class AuditEntry(Struct, frozen=True, kw_only=True):
    """One thing that was done."""

    position: int
    event_id: str
    """A UUID."""
    tenant_id: str
    action: str
    """The event's type."""
    who: str
    at: datetime
    reason: str | None
    wallet_id: str | None
    """The wallet that it was done to, if it was one."""
    details: dict[str, Any]
    """The event's other fields. None of them is a secret, or personal data in clear."""


async def audit_page(
    connection: Connection, tenant_id: str, before_position: int, limit: int
) -> list[AuditEntry]:
    """Up to `limit` entries of one tenant before a position, newest first."""
    rows = await connection.fetch(_PAGE, UUID(tenant_id), before_position, limit)
    return [_entry(row) for row in rows]


async def audit_everywhere(
    connection: Connection,
    tenant_id: UUID | None,
    since: datetime | None,
    *,
    after_position: int,
    limit: int,
) -> list[AuditEntry]:
    """Up to `limit` entries of a tenant, or of all, after a position, oldest first."""
    rows = await connection.fetch(_EVERYWHERE, tenant_id, since, after_position, limit)
    return [_entry(row) for row in rows]


def _entry(row: asyncpg.Record) -> AuditEntry:
    data: dict[str, Any] = msgspec.json.decode(row["data"])
    stream = stream_name(row["tenant_id"], row["stream_id"])
    return AuditEntry(
        position=row["position"],
        event_id=str(row["event_id"]),
        tenant_id=str(row["tenant_id"]),
        action=row["type"],
        who=msgspec.json.decode(row["metadata"], type=EventMetadata).who,
        at=row["recorded_at"],
        reason=data.get("reason"),
        wallet_id=stream if is_wallet_stream(stream) else None,
        details={name: value for name, value in data.items() if name not in _TOLD_APART},
    )
