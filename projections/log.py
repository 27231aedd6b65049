"""Reads the event log by SQL: for a projection's beginning, for holes, and for rebuilds.

Every read is short and ends at a known position or version, so no snapshot lasts.
"""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
from msgspec import Struct

from projections.interface import Connection, EventRange, ProjectedEvent, Reader
from projections.statements import load_statement
from schemas.identifiers import StreamKey, hex_of, stream_name, wallet_id

_READ_LOG = load_statement(__file__, "read_log")
_READ_MISSING = load_statement(__file__, "read_missing")
_READ_STREAM = load_statement(__file__, "read_stream")
_FIND_EVENT = load_statement(__file__, "find_event")
_READ_HEAD = load_statement(__file__, "read_head")
_READ_PUBLISHED = load_statement(__file__, "read_published")
_PREPARE_SESSION = load_statement(__file__, "prepare_session")


FIRST_GENERATION = 1
"""The generation of the topic that a ledger begins with."""


class Published(Struct, frozen=True, kw_only=True):
    """How far the relay has published, and to which topic."""

    generation: int
    topic: str
    topic_id: str
    partition_count: int
    published_position: int
    published_hash: bytes | None
    """The hash of the event there; none before the first."""


class LogPage(Struct, frozen=True, kw_only=True):
    """Some events of the log in order, and the hash of the last."""

    events: list[ProjectedEvent]
    last_hash: bytes | None


async def prepare_session(connection: Connection) -> None:
    """Set a connection up for writing read models."""
    await connection.execute(_PREPARE_SESSION)


async def read_log(connection: Reader, after_position: int, up_to_position: int) -> LogPage:
    """The events after one position, up to and with another."""
    rows = await connection.fetch(_READ_LOG, after_position, up_to_position)
    return LogPage(events=_events(rows), last_hash=rows[-1]["hash"] if rows else None)


async def read_missing(
    connection: Reader, holes: Sequence[EventRange]
) -> dict[StreamKey, list[ProjectedEvent]]:
    """The events of these ranges, as far as the log has them."""
    rows = await connection.fetch(
        _READ_MISSING,
        [hole.wallet.tenant_id for hole in holes],
        [hex_of(hole.wallet.stream_id) for hole in holes],
        [hole.first_version for hole in holes],
        [hole.last_version for hole in holes],
    )
    found: dict[StreamKey, list[ProjectedEvent]] = {}
    for event in _events(rows):
        found.setdefault(event.wallet, []).append(event)
    return found


async def read_stream(
    connection: Reader, wallet: StreamKey, after_version: int, limit: int
) -> list[ProjectedEvent]:
    """Up to `limit` events of one wallet after a version."""
    rows = await connection.fetch(
        _READ_STREAM, wallet.tenant_id, hex_of(wallet.stream_id), after_version, limit
    )
    return _events(rows)


async def find_event(
    connection: Reader, tenant_id: str, event_id: str
) -> tuple[StreamKey, int] | None:
    """Which wallet an event of the tenant belongs to, and its version there.

    The id is 32 hexadecimal digits, as holds, transfers and transactions are named by them.
    """
    row = await connection.fetchrow(_FIND_EVENT, tenant_id, event_id)
    if row is None:
        return None
    return StreamKey(tenant_id, wallet_id(row["stream_id"].hex)), row["version"]


async def read_head(connection: Reader) -> int:
    """The newest position of the log; 0 while it is empty."""
    head: int = await connection.fetchval(_READ_HEAD)
    return head


async def read_published(connection: Reader) -> Published | None:
    """The relay's progress; none before it has ever run."""
    row = await connection.fetchrow(_READ_PUBLISHED)
    return None if row is None else Published(**row)


def _events(rows: Sequence[asyncpg.Record]) -> list[ProjectedEvent]:
    names: dict[tuple[UUID, UUID], StreamKey] = {}
    events = []
    for (
        position,
        tenant_id,
        stream_id,
        version,
        event_id,
        type_name,
        schema_version,
        data,
        recorded_at,
        _,
    ) in rows:
        wallet = names.get((tenant_id, stream_id))
        if wallet is None:
            wallet = StreamKey(str(tenant_id), stream_name(tenant_id, stream_id))
            names[tenant_id, stream_id] = wallet
        events.append(
            ProjectedEvent(
                position=position,
                wallet=wallet,
                version=version,
                event_id=event_id.hex,
                type=type_name,
                schema_version=schema_version,
                data=data,
                recorded_at=recorded_at,
            )
        )
    return events
