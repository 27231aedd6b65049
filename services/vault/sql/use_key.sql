-- Take off the mark that a key is unused, and give the key; no row where it is gone.
-- $1 tenant, $2 user id
UPDATE customer_keys
SET unused_since = NULL
WHERE tenant_id = $1 AND user_id = $2 AND destroyed_at IS NULL
RETURNING master_key_id, wrapped_key
