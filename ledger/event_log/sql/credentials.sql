-- Credentials by their ids, however they stand. $1 text[] key ids
SELECT key_id, tenant_id, scopes, revoked_at, expires_at, rate_limit_per_s, rate_limit_burst
FROM credentials
WHERE key_id = ANY ($1::text[])
