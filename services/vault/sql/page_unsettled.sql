-- Keys of more than an hour of which it is not known whether the log names their customer.
-- $1 tenant and $2 user id after which it begins, $3 at most how many
SELECT tenant_id, user_id
FROM customer_keys
WHERE (tenant_id, user_id) > ($1, $2)
  AND NOT is_used AND destroyed_at IS NULL AND created_at < now() - interval '1 hour'
ORDER BY tenant_id, user_id
LIMIT $3
