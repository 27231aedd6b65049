"""Puts what an event factory made into PostgreSQL, with all that the ledger appends beside it."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import asyncpg

from ledger.event_log.hashing import append_hash
from schemas.events import RecordedEvent
from schemas.identifiers import hex_of

if TYPE_CHECKING:
    from tests.specs.event_factory import EventFactory

_APPEND = """
INSERT INTO appends (number, append_id, last_position, hash, recorded_at)
VALUES ($1, gen_random_uuid(), $2, $3, $4)
"""
_EVENTS = """
INSERT INTO events (position, tenant_id, stream_id, version, event_id, type, schema_version,
                    data, metadata, recorded_at, hash)
SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::uuid[], $4::bigint[], $5::uuid[], $6::text[],
                     $7::smallint[], $8::json[], $9::json[], $10::timestamptz[], $11::bytea[])
"""
_CUSTOMERS = """
INSERT INTO customers (tenant_id, customer_id, user_id)
SELECT stream.tenant_id, stream.data ->> 'customer_id', (stream.data ->> 'user_id')::uuid
FROM events AS stream
WHERE stream.type = 'wallet.opened' AND stream.position BETWEEN $1 AND $2
ON CONFLICT DO NOTHING
"""
_WALLETS = """
INSERT INTO wallets (tenant_id, wallet_id, customer_id, currency, position)
SELECT tenant_id, stream_id, data ->> 'customer_id', data ->> 'currency', position
FROM events
WHERE type = 'wallet.opened' AND position BETWEEN $1 AND $2
"""
_CLOSURES = """
INSERT INTO wallet_closures (tenant_id, wallet_id, position)
SELECT tenant_id, stream_id, position
FROM events
WHERE type = 'wallet.closed' AND position BETWEEN $1 AND $2
"""
_REFERENCES = """
INSERT INTO consumed_references (tenant_id, reference, fingerprint, position)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::bigint[])
"""


async def write_log(
    connection: "asyncpg.Connection[Any]", factory: "EventFactory", append_size: int = 100
) -> list[RecordedEvent]:
    """Append what the factory made since the last time; those events."""
    events = factory.take()
    for start in range(0, len(events), append_size):
        await _write_append(connection, factory, events[start : start + append_size])
    consumed = factory.take_consumed()
    if consumed:
        columns = [list(column) for column in zip(*consumed, strict=True)]
        await connection.execute(_REFERENCES, *columns)
    return events


async def _write_append(
    connection: "asyncpg.Connection[Any]", factory: "EventFactory", events: Sequence[RecordedEvent]
) -> None:
    first, last = events[0].position, events[-1].position
    factory.append_number += 1
    factory.append_hash = append_hash(factory.append_hash, [event.hash for event in events])
    async with connection.transaction():
        await connection.execute(
            _APPEND, factory.append_number, last, factory.append_hash, events[-1].recorded_at
        )
        await connection.execute(_EVENTS, *_columns(events))
        await connection.execute(_CUSTOMERS, first, last)
        await connection.execute(_WALLETS, first, last)
        await connection.execute(_CLOSURES, first, last)


def _columns(events: Iterable[RecordedEvent]) -> list[list[object]]:
    rows = [
        (
            event.position,
            event.tenant_id,
            hex_of(event.stream_id),
            event.version,
            event.event_id,
            event.type,
            event.schema_version,
            event.data,
            event.metadata,
            event.recorded_at,
            event.hash,
        )
        for event in events
    ]
    return [list(column) for column in zip(*rows, strict=True)]
