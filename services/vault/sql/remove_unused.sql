-- Remove keys that have been marked for an hour, and that nobody has used since.
-- $1 tenants, $2 user ids, side by side
DELETE FROM customer_keys AS k
USING unnest($1::uuid[], $2::uuid[]) AS unnamed (tenant_id, user_id)
WHERE (k.tenant_id, k.user_id) = (unnamed.tenant_id, unnamed.user_id)
  AND k.unused_since <= now() - interval '1 hour'
