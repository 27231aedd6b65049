"""Tenants' own streams: their chains, and the credentials that their events lead to.

Administrators' events are few, so all that they come to is kept in memory. A credential from
before there were such events has none that made it; of that one only what was done since is
compared.
"""

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ledger.event_log.hashing import event_hash
from ledger.event_log.interface import GENESIS_HASH
from projections.interface import Connection
from schemas.events import (
    CredentialCreated,
    CredentialLimited,
    CredentialRevoked,
    CredentialRotated,
    RecordedEvent,
    UnknownEventError,
    decode_tenant_event,
)
from services.runtime.sql import load_statement
from services.verify.differences import differing
from services.verify.merchants import Merchants
from services.verify.report import Report

_PAGE_CREDENTIALS = load_statement(__file__, "page_credentials")
_PAGE = 5000


class _Told(Struct, frozen=True, kw_only=True):
    """A credential as the events tell it."""

    tenant_id: str
    scopes: tuple[str, ...] | None = None
    """None: it was made before there were such events."""
    created_at: datetime | None = None
    revoked_at: datetime | None = None
    expires_at: datetime | None = None
    per_s: int | None = None
    burst: int | None = None
    position: int
    """The newest event that is about it."""


class TenantStreams:
    """Checks the events of tenants' own streams, and then the table of credentials."""

    def __init__(self, connection: Connection, report: Report) -> None:
        self._connection = connection
        self._streams = report.invariant("events of each tenant's own stream are chained")
        self._credentials = report.invariant("credentials are those of the events")
        self._merchants = Merchants(connection, report)
        self._heads: dict[str, tuple[int, bytes]] = {}
        self._told: dict[str, _Told] = {}

    def check(self, event: RecordedEvent) -> None:
        """Check one event's place and hash, and keep what it tells."""
        version, previous = self._heads.get(event.tenant_id, (0, GENESIS_HASH))
        where = f"{event.stream_id} at position {event.position}"
        self._streams.check(
            event.version == version + 1 and event_hash(previous, event) == event.hash,
            f"{where}: version {event.version} behind {version}",
        )
        self._heads[event.tenant_id] = (event.version, event.hash)
        try:
            told = decode_tenant_event(event.type, event.schema_version, event.data)
        except (UnknownEventError, msgspec.DecodeError) as error:
            self._streams.fail(f"{where}: {error}")
            return
        self._merchants.fold(event, told)
        match told:
            case CredentialCreated():
                self._make(told.key_id, told.scopes, event)
            case CredentialRotated():
                self._make(told.key_id, told.scopes, event)
                self._change(told.replaces_key_id, event, expires_at=told.ends_at)
                old, new = self._told[told.replaces_key_id], self._told[told.key_id]
                self._told[told.key_id] = replace(new, per_s=old.per_s, burst=old.burst)
            case CredentialRevoked():
                self._change(told.key_id, event, revoked_at=event.recorded_at)
            case CredentialLimited():
                self._change(told.key_id, event, per_s=told.per_s, burst=told.burst)
            case _:
                return

    def _make(self, key_id: str, scopes: Sequence[str], event: RecordedEvent) -> None:
        self._told[key_id] = _Told(
            tenant_id=event.tenant_id,
            scopes=tuple(scopes),
            created_at=event.recorded_at,
            position=event.position,
        )

    def _change(self, key_id: str, event: RecordedEvent, **changes: datetime | int | None) -> None:
        before = self._told.get(key_id)
        if before is None:
            before = _Told(tenant_id=event.tenant_id, position=event.position)
        self._told[key_id] = replace(before, position=event.position, **changes)

    async def finish(self, position: int) -> None:
        """Compare the table, when the log has been read up to a position.

        A credential that was changed behind that is left to the next run.
        """
        await self._merchants.finish(position)
        told = dict(self._told)
        after = ""
        while rows := await self._connection.fetch(_PAGE_CREDENTIALS, after, _PAGE):
            for row in rows:
                expected = told.pop(row["key_id"], None)
                if row["position"] <= position:
                    self._compare(row, expected)
            after = rows[-1]["key_id"]
        for key_id, each in sorted(told.items()):
            self._credentials.fail(f"{key_id}: position {each.position} tells of it; it is gone")

    def _compare(self, row: asyncpg.Record, told: _Told | None) -> None:
        """Compare one row with what is told of it: nothing, where it is older than that."""
        found = _Told(
            tenant_id=str(row["tenant_id"]),
            scopes=tuple(row["scopes"]),
            created_at=row["created_at"],
            revoked_at=row["revoked_at"],
            expires_at=row["expires_at"],
            per_s=row["rate_limit_per_s"],
            burst=row["rate_limit_burst"],
            position=row["position"],
        )
        if told is None:
            self._credentials.check(found.position == 0, f"{row['key_id']}: no event tells of it")
            return
        if told.scopes is None:
            # Only its end is told; it may have ended before, too.
            found = replace(found, scopes=None, created_at=None)
        if found == told:
            self._credentials.hold()
        else:
            self._credentials.fail(f"{row['key_id']}: {differing(found, told)}")
