-- A page of the keys that are wrapped by another master key than the given.
-- $1 tenant and $2 user id after which it begins, $3 id of the master key, $4 at most how many
SELECT tenant_id, user_id, master_key_id, wrapped_key, created_at, destroyed_at
FROM customer_keys
WHERE (tenant_id, user_id) > ($1, $2) AND master_key_id <> $3
ORDER BY tenant_id, user_id
LIMIT $4
