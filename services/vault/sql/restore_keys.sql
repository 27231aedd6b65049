-- Put back keys of a backup where the customer has no row; says which were put back.
-- $1 tenants, $2 user ids, $3 ids of the master keys, $4 wrapped keys, $5 when they were made
INSERT INTO customer_keys (tenant_id, user_id, master_key_id, wrapped_key, created_at)
SELECT tenant_id, user_id, master_key_id, wrapped_key, created_at
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[], $5::timestamptz[])
    AS asked (tenant_id, user_id, master_key_id, wrapped_key, created_at)
ORDER BY tenant_id, user_id
ON CONFLICT (tenant_id, user_id) DO NOTHING
RETURNING tenant_id, user_id
