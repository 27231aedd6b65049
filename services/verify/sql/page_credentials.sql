-- A page of credentials as they stand, without the hashes of their secrets.
-- $1 text key id after which the page begins  $2 bigint at most
SELECT key_id, tenant_id, scopes, created_at, revoked_at, expires_at, rate_limit_per_s,
       rate_limit_burst, position
FROM credentials
WHERE key_id > $1::text
ORDER BY key_id
LIMIT $2::bigint
