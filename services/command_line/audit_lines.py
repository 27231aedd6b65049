"""`ledger audit`: what administrators did, a line for each, for people or for programs."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, Literal
from uuid import UUID

import msgspec

from ledger.tenants.audit import AuditEntry, audit_everywhere
from schemas.identifiers import NOBODYS_TENANT
from services.runtime.postgres import Connection
from services.runtime.terminal import printable

Form = Literal["text", "json"]

_PAGE: Final = 1_000
_encode = msgspec.json.Encoder().encode


async def audit_lines(
    connection: Connection, tenant_id: UUID | None, since: datetime | None, form: Form
) -> list[str]:
    """The lines, oldest first. JSON has one object a line."""
    lines: list[str] = []
    position = 0
    while entries := await audit_everywhere(
        connection, tenant_id, since, after_position=position, limit=_PAGE
    ):
        lines += [_json(each) if form == "json" else _text(each) for each in entries]
        position = entries[-1].position
    return lines


def _json(entry: AuditEntry) -> str:
    return _encode(entry).decode()


def _text(entry: AuditEntry) -> str:
    return "  ".join(_columns(entry)).rstrip()


def _columns(entry: AuditEntry) -> Iterator[str]:
    yield f"{entry.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    yield "-" * 36 if entry.tenant_id == NOBODYS_TENANT else entry.tenant_id
    yield f"{entry.action:<27}"
    yield printable(entry.who)
    if entry.wallet_id is not None:
        yield entry.wallet_id
    for name, value in entry.details.items():
        shown = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        yield f"{name}={printable(shown)}"
    if entry.reason is not None:
        yield f"({printable(entry.reason)})"
