-- A page of all rows, living and destroyed, in order of tenant and user id.
-- $1 tenant and $2 user id after which it begins, $3 at most how many
SELECT tenant_id, user_id, master_key_id, wrapped_key, created_at, destroyed_at
FROM customer_keys
WHERE (tenant_id, user_id) > ($1, $2)
ORDER BY tenant_id, user_id
LIMIT $3
