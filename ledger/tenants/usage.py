"""The use of credentials: what each may ask for, how much it asked, and when it was used last."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

import asyncpg
from msgspec import Struct

from ledger.tenants import Environment
from ledger.tenants.limits import RateLimit, rate_limit_of
from ledger.tenants.store import Connection

_SQL = Path(__file__).parent / "sql"
_LIST_CREDENTIALS = (_SQL / "list_credentials.sql").read_text(encoding="utf-8")
_EXCHANGE_USAGE = (_SQL / "exchange_usage.sql").read_text(encoding="utf-8")


class ListedCredential(Struct, frozen=True, kw_only=True):
    """A credential as it is shown: all but what its secret could be checked with."""

    key_id: str
    tenant_id: str
    environment: Environment
    scopes: tuple[str, ...]
    rate_limit: RateLimit | None
    """None: what the gateways allow every credential."""
    created_at: datetime
    last_used_at: datetime | None
    """As gateways have told; a second behind at most."""
    revoked_at: datetime | None


class UsedCredential(Struct, frozen=True, kw_only=True):
    """What one gateway has seen of a credential since it told the others."""

    key_id: str
    units: int
    """What was let through."""
    used_ms_ago: int
    """When it was used last, let through or not."""


async def list_credentials(
    connection: Connection, tenant_id: UUID | None = None
) -> list[ListedCredential]:
    """Every credential, or a tenant's, the oldest first; revoked ones too."""
    return [_listed(row) for row in await connection.fetch(_LIST_CREDENTIALS, tenant_id)]


def _listed(row: asyncpg.Record) -> ListedCredential:
    return ListedCredential(
        key_id=row["key_id"],
        tenant_id=str(row["tenant_id"]),
        environment=row["environment"],
        scopes=tuple(sorted(row["scopes"])),
        rate_limit=rate_limit_of(row["rate_limit_per_s"], row["rate_limit_burst"]),
        created_at=row["created_at"],
        last_used_at=row["last_used_at"],
        revoked_at=row["revoked_at"],
    )


async def exchange_usage(
    connection: Connection, used: Sequence[UsedCredential], asked: Sequence[str]
) -> dict[str, int]:
    """Tell what was used, in one statement; the units of all gateways, ever, by key id.

    `asked` are keys of which nothing is to be told. One that nobody has used, or that there is
    not any more, is missing from the answer.
    """
    rows = await connection.fetch(
        _EXCHANGE_USAGE,
        [each.key_id for each in used],
        [each.units for each in used],
        [each.used_ms_ago for each in used],
        list(asked),
    )
    return {row["key_id"]: row["units"] for row in rows}
