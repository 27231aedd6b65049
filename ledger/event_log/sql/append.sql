-- One append: all of its rows, or none. Every insert selects from the row of the chain, so
-- nothing at all is written when another writer has the turn or was first, or when a command
-- id or reference is known that was not looked up before. One row: whether it was written,
-- and the time.
-- $1 bigint lock key     $2 bigint number         $3 uuid append id
-- $4 bigint last position  $5 bytea append hash   $6 timestamptz recorded at
-- The driver encodes an array one element after another; the server reads a text in less time. So
-- arrays whose elements need no quoting, marked by *, come spelled as text; and arrays of JSON,
-- marked by +, as one text with U+001E between, which no JSON contains (nothing between: null).
-- events: $7 bigint first position, then arrays $8* uuid tenant, $9* uuid stream,
--   $10* bigint version, $11* uuid event id, $12* text type, $13* smallint schema version,
--   $14+ data, $15+ metadata, $16* bytea hash
-- command outcomes: arrays $17* uuid tenant, $18 text id, $19* bytea fingerprint,
--   $20* bigint position, $21+ outcome
-- references: arrays $22* uuid tenant, $23 text reference, $24* bytea fingerprint,
--   $25* bigint position
-- not looked up: arrays $26* uuid tenant, $27 text command id; $28* uuid tenant, $29 text
--   reference; null where they are just those that are written
-- $30 bytea hash of the append before, which must be the one that was seen: a log that was
--   restored to an earlier point may have grown back to its number
-- $31 json, what most appends have nothing of, or null: an object of arrays of objects
--   wallets: tenant_id, wallet_id, customer_id, currency, position
--   customers: tenant_id, customer_id, user_id; those of the wallets that are not in identities
--   identities: tenant_id, customer_id, user_id, identity_index; one for each customer, a null
--     index forgets; those come first, so that an index that is given up can be taken at once
--   account_numbers: tenant_id, serial, bank_code, account_number, wallet_id, position
--   closures: tenant_id, wallet_id, position
WITH turn AS (
    SELECT pg_try_advisory_xact_lock($1::bigint) AS mine
),
known AS (
    SELECT FROM unnest(coalesce($26::text, $17::text)::uuid[], coalesce($27::text[], $18::text[]))
         AS asked (tenant_id, key)
    JOIN command_outcomes o ON o.tenant_id = asked.tenant_id AND o.command_id = asked.key
    UNION ALL
    SELECT FROM unnest(coalesce($28::text, $22::text)::uuid[], coalesce($29::text[], $23::text[]))
         AS asked (tenant_id, key)
    JOIN consumed_references r ON r.tenant_id = asked.tenant_id AND r.reference = asked.key
),
head AS (
    INSERT INTO appends (number, append_id, last_position, hash, recorded_at)
    SELECT $2::bigint, $3::uuid, $4::bigint, $5::bytea, $6::timestamptz
    FROM turn
    WHERE mine AND NOT EXISTS (SELECT FROM known)
      AND ($2::bigint = 1
           OR EXISTS (SELECT FROM appends WHERE number = $2::bigint - 1 AND hash = $30::bytea))
    ON CONFLICT (number) DO NOTHING
    RETURNING number, recorded_at
),
new_events AS (
    INSERT INTO events (position, tenant_id, stream_id, version, event_id, type,
                        schema_version, data, metadata, recorded_at, hash)
    SELECT $7::bigint + e.place - 1, e.tenant_id, e.stream_id, e.version, e.event_id, e.type,
           e.schema_version, e.data, e.metadata, head.recorded_at, e.hash
    FROM head, unnest($8::text::uuid[], $9::text::uuid[], $10::text::bigint[], $11::text::uuid[],
                      $12::text::text[], $13::text::smallint[],
                      string_to_array($14::text, chr(30))::json[],
                      string_to_array($15::text, chr(30))::json[],
                      $16::text::bytea[])
         WITH ORDINALITY AS e (tenant_id, stream_id, version, event_id, type, schema_version,
                               data, metadata, hash, place)
),
new_outcomes AS (
    INSERT INTO command_outcomes (tenant_id, command_id, fingerprint, position, outcome)
    SELECT o.* FROM head, unnest($17::text::uuid[], $18::text[], $19::text::bytea[],
                                 $20::text::bigint[],
                                 string_to_array($21::text, chr(30), '')::json[]) AS o
),
new_references AS (
    INSERT INTO consumed_references (tenant_id, reference, fingerprint, position)
    SELECT r.* FROM head, unnest($22::text::uuid[], $23::text[], $24::text::bytea[],
                                 $25::text::bigint[]) AS r
),
new_wallets AS (
    INSERT INTO wallets (tenant_id, wallet_id, customer_id, currency, position)
    SELECT w.tenant_id, w.wallet_id, w.customer_id, w.currency, w.position
    FROM head, json_to_recordset($31::json -> 'wallets')
         AS w (tenant_id uuid, wallet_id uuid, customer_id text, currency text, position bigint)
),
new_customers AS (
    INSERT INTO customers (tenant_id, customer_id, user_id)
    SELECT c.tenant_id, c.customer_id, c.user_id
    FROM head, json_to_recordset($31::json -> 'customers')
         AS c (tenant_id uuid, customer_id text, user_id uuid)
    ON CONFLICT (tenant_id, customer_id) DO NOTHING
),
new_identities AS (
    INSERT INTO customers (tenant_id, customer_id, user_id, identity_index)
    SELECT i.tenant_id, i.customer_id, i.user_id, i.identity_index
    FROM head, json_to_recordset($31::json -> 'identities')
         AS i (tenant_id uuid, customer_id text, user_id uuid, identity_index bytea)
    ORDER BY i.identity_index NULLS FIRST
    ON CONFLICT (tenant_id, customer_id) DO UPDATE SET identity_index = excluded.identity_index
),
new_account_numbers AS (
    INSERT INTO account_numbers (tenant_id, serial, bank_code, account_number, wallet_id, position)
    SELECT a.tenant_id, a.serial, a.bank_code, a.account_number, a.wallet_id, a.position
    FROM head, json_to_recordset($31::json -> 'account_numbers')
         AS a (tenant_id uuid, serial bigint, bank_code text, account_number text,
               wallet_id uuid, position bigint)
),
new_closures AS (
    INSERT INTO wallet_closures (tenant_id, wallet_id, position)
    SELECT c.tenant_id, c.wallet_id, c.position
    FROM head, json_to_recordset($31::json -> 'closures')
         AS c (tenant_id uuid, wallet_id uuid, position bigint)
)
SELECT number IS NOT NULL AS is_written, clock_timestamp() AS now,
       CASE WHEN number IS NOT NULL THEN pg_notify('ledger_appended', '') END
FROM (VALUES (1)) AS one LEFT JOIN head ON true
