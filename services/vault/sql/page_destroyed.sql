-- A page of who had a key destroyed, in order of tenant and user id.
-- $1 tenant and $2 user id after which it begins, $3 at most how many
SELECT tenant_id, user_id, destroyed_at
FROM customer_keys
WHERE (tenant_id, user_id) > ($1, $2) AND destroyed_at IS NOT NULL
ORDER BY tenant_id, user_id
LIMIT $3
