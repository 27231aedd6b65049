-- Destroy keys, also of customers that have none yet; says of each row that was changed
-- whether a key went. What was destroyed before is left as it is.
-- $1 tenants, $2 user ids, $3 when, side by side, each customer once
INSERT INTO customer_keys AS k (tenant_id, user_id, destroyed_at)
SELECT tenant_id, user_id, destroyed_at
FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS asked (tenant_id, user_id, destroyed_at)
-- In one order, so that two of these never wait for each other.
ORDER BY tenant_id, user_id
ON CONFLICT (tenant_id, user_id) DO UPDATE
SET master_key_id = NULL, wrapped_key = NULL, destroyed_at = EXCLUDED.destroyed_at,
    unused_since = NULL
WHERE k.destroyed_at IS NULL
-- A row that this statement inserted has no xmax; one that it updated was locked first.
RETURNING xmax <> 0 AS had_key
