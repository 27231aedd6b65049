-- The rows of customers, living and destroyed; none for who never had a key.
-- $1 tenants, $2 user ids, side by side
SELECT k.tenant_id, k.user_id, k.master_key_id, k.wrapped_key, k.created_at, k.destroyed_at,
       k.unused_since
FROM unnest($1::uuid[], $2::uuid[]) AS asked (tenant_id, user_id)
JOIN customer_keys AS k USING (tenant_id, user_id)
