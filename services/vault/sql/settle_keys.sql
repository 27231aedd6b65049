-- Say of keys that the log names their customers. $1 tenants, $2 user ids, side by side
UPDATE customer_keys AS k
SET is_used = true, unused_since = NULL
FROM unnest($1::uuid[], $2::uuid[]) AS named (tenant_id, user_id)
WHERE (k.tenant_id, k.user_id) = (named.tenant_id, named.user_id) AND k.destroyed_at IS NULL
