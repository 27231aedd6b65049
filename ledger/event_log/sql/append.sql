-- One append: all of its rows, or none. Every insert selects from the row of the chain, so
-- nothing at all is written when another writer has the turn or was first, or when a command
-- id or reference is known that was not looked up before. One row: whether it was written,
-- and the time.
-- $1 bigint lock key     $2 bigint number         $3 uuid append id
-- $4 bigint last position  $5 bytea append hash   $6 timestamptz recorded at
-- events: $7 bigint first position, then arrays $8 uuid tenant, $9 uuid stream,
--   $10 bigint version, $11 uuid event id, $12 text type, $13 smallint schema version,
--   $14 json data, $15 json metadata, $16 bytea hash
-- command outcomes: arrays $17 uuid tenant, $18 text id, $19 bytea fingerprint,
--   $20 bigint position, $21 json outcome
-- references: arrays $22 uuid tenant, $23 text reference, $24 bytea fingerprint,
--   $25 bigint position
-- wallets: arrays $26 uuid tenant, $27 uuid wallet, $28 text customer, $29 uuid user,
--   $30 text currency, $31 bigint position
-- closures: arrays $32 uuid tenant, $33 uuid wallet, $34 bigint position
-- not looked up: arrays $35 uuid tenant, $36 text command id; $37 uuid tenant, $38 text reference
-- $39 bytea hash of the append before, which must be the one that was seen: a log that was
--   restored to an earlier point may have grown back to its number
WITH turn AS (
    SELECT pg_try_advisory_xact_lock($1::bigint) AS mine
),
known AS (
    SELECT FROM unnest($35::uuid[], $36::text[]) AS asked (tenant_id, key)
    JOIN command_outcomes o ON o.tenant_id = asked.tenant_id AND o.command_id = asked.key
    UNION ALL
    SELECT FROM unnest($37::uuid[], $38::text[]) AS asked (tenant_id, key)
    JOIN consumed_references r ON r.tenant_id = asked.tenant_id AND r.reference = asked.key
),
head AS (
    INSERT INTO appends (number, append_id, last_position, hash, recorded_at)
    SELECT $2::bigint, $3::uuid, $4::bigint, $5::bytea, $6::timestamptz
    FROM turn
    WHERE mine AND NOT EXISTS (SELECT FROM known)
      AND ($2::bigint = 1
           OR EXISTS (SELECT FROM appends WHERE number = $2::bigint - 1 AND hash = $39::bytea))
    ON CONFLICT (number) DO NOTHING
    RETURNING number, recorded_at
),
new_events AS (
    INSERT INTO events (position, tenant_id, stream_id, version, event_id, type,
                        schema_version, data, metadata, recorded_at, hash)
    SELECT $7::bigint + e.place - 1, e.tenant_id, e.stream_id, e.version, e.event_id, e.type,
           e.schema_version, e.data, e.metadata, head.recorded_at, e.hash
    FROM head, unnest($8::uuid[], $9::uuid[], $10::bigint[], $11::uuid[], $12::text[],
                      $13::smallint[], $14::json[], $15::json[], $16::bytea[])
         WITH ORDINALITY AS e (tenant_id, stream_id, version, event_id, type, schema_version,
                               data, metadata, hash, place)
),
new_outcomes AS (
    INSERT INTO command_outcomes (tenant_id, command_id, fingerprint, position, outcome)
    SELECT o.* FROM head, unnest($17::uuid[], $18::text[], $19::bytea[], $20::bigint[],
                                 $21::json[]) AS o
),
new_references AS (
    INSERT INTO consumed_references (tenant_id, reference, fingerprint, position)
    SELECT r.* FROM head, unnest($22::uuid[], $23::text[], $24::bytea[], $25::bigint[]) AS r
),
new_wallets AS (
    INSERT INTO wallets (tenant_id, wallet_id, customer_id, currency, position)
    SELECT w.tenant_id, w.wallet_id, w.customer_id, w.currency, w.position
    FROM head, unnest($26::uuid[], $27::uuid[], $28::text[], $29::uuid[], $30::text[],
                      $31::bigint[])
         AS w (tenant_id, wallet_id, customer_id, user_id, currency, position)
),
new_customers AS (
    INSERT INTO customers (tenant_id, customer_id, user_id)
    SELECT c.tenant_id, c.customer_id, c.user_id
    FROM head, unnest($26::uuid[], $28::text[], $29::uuid[])
         AS c (tenant_id, customer_id, user_id)
    ON CONFLICT (tenant_id, customer_id) DO NOTHING
),
new_closures AS (
    INSERT INTO wallet_closures (tenant_id, wallet_id, position)
    SELECT c.* FROM head, unnest($32::uuid[], $33::uuid[], $34::bigint[]) AS c
)
SELECT number IS NOT NULL AS is_written, clock_timestamp() AS now,
       CASE WHEN number IS NOT NULL THEN pg_notify('ledger_appended', '') END
FROM (VALUES (1)) AS one LEFT JOIN head ON true
