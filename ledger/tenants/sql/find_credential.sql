-- $1 key_id text: the credential and whose it is, revoked or not.
SELECT key_id, tenant_id, merchant_id, environment, secret_hash, scopes, revoked_at
FROM credentials
JOIN tenants USING (tenant_id)
WHERE key_id = $1
