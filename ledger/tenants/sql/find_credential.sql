-- $1 key_id text: the credential and whose it is, revoked or not, with the origins to which its
-- merchant lets browsers be sent.
SELECT key_id, tenant_id, merchant_id, environment, secret_hash, scopes, revoked_at,
       ARRAY(SELECT origin
             FROM redirect_origins
             WHERE redirect_origins.merchant_id = tenants.merchant_id) AS redirect_origins
FROM credentials
JOIN tenants USING (tenant_id)
WHERE key_id = $1
