-- Store a customer's first key; does nothing where there is a key, or was one.
-- $1 tenant, $2 user id, $3 id of the master key, $4 the wrapped key
INSERT INTO customer_keys (tenant_id, user_id, master_key_id, wrapped_key, created_at)
VALUES ($1, $2, $3, $4, now())
ON CONFLICT (tenant_id, user_id) DO NOTHING
