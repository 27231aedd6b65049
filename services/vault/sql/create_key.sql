-- Store a customer's first key, and give the key that there is then: of several at once one wins.
-- No row where it was destroyed. $1 tenant, $2 user id, $3 id of the master key, $4 the wrapped key
INSERT INTO customer_keys AS k (tenant_id, user_id, master_key_id, wrapped_key, created_at)
VALUES ($1, $2, $3, $4, now())
ON CONFLICT (tenant_id, user_id) DO UPDATE
SET unused_since = NULL
WHERE k.destroyed_at IS NULL
RETURNING master_key_id, wrapped_key
