-- Begin the hour after which unused keys may go. $1 tenants, $2 user ids, side by side
UPDATE customer_keys AS k
SET unused_since = now()
FROM unnest($1::uuid[], $2::uuid[]) AS unnamed (tenant_id, user_id)
WHERE (k.tenant_id, k.user_id) = (unnamed.tenant_id, unnamed.user_id)
  AND k.unused_since IS NULL AND NOT k.is_used AND k.destroyed_at IS NULL
