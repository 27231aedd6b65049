-- Some keys that a master key wraps. $1 its id  $2 at most how many
SELECT tenant_id, user_id, master_key_id, wrapped_key, created_at, destroyed_at
FROM customer_keys
WHERE master_key_id = $1
LIMIT $2
