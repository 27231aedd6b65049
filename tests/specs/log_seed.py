"""Given a log: fills it by SQL, for tests of what reads the log and not of what writes it.

The event at position n is a credit of 1 to wallet n mod `wallet_count`, so every column
follows from the position. Hashes have the right shape, but chain nothing.
"""

from typing import Any
from uuid import UUID

import asyncpg

TENANT_ID = UUID("7d7c1f0e-54d0-4c3c-9a55-1de1f1a5c0de")

_APPEND = """
WITH head AS (
    SELECT coalesce(max(number), 0) AS number, coalesce(max(last_position), 0) AS position
    FROM appends
), new_append AS (
    INSERT INTO appends (number, append_id, last_position, hash, recorded_at)
    SELECT number + 1, gen_random_uuid(), position + $1, sha256(int8send(number + 1)),
           clock_timestamp()
    FROM head
    RETURNING last_position, recorded_at
), new_events AS (
    INSERT INTO events (position, tenant_id, stream_id, version, event_id, type,
                        schema_version, data, metadata, recorded_at, hash)
    SELECT n, $3, md5((n % $2)::text)::uuid, (n - 1) / $2 + 1, gen_random_uuid(),
           'wallet.credited', 1,
           format('{"type":"wallet.credited","amount":1,"balance_before":%s,'
                  '"balance_after":%s,"available_after":%s,"currency":"GHS",'
                  '"reference":"seed-%s","description":"Seeded","metadata":null}',
                  (n - 1) / $2, (n - 1) / $2 + 1, (n - 1) / $2 + 1, n)::json,
           format('{"who":"client:seed","causation_id":"command-%s"}', n)::json,
           recorded_at, sha256(int8send(n))
    FROM new_append, head, generate_series(head.position + 1, head.position + $1) AS n
)
SELECT last_position, pg_notify('ledger_appended', '') FROM new_append
"""


async def append_seed(
    connection: "asyncpg.Connection[Any]", event_count: int, wallet_count: int = 50
) -> int:
    """Append that many events in one append; the new last position."""
    last_position = await connection.fetchval(_APPEND, event_count, wallet_count, TENANT_ID)
    assert isinstance(last_position, int), "an append has a last position"
    return last_position
