-- $1 key_id text: the credential and whose it is, revoked or not, with the origins to which its
-- merchant lets browsers be sent, and how much of it gateways have let through.
SELECT credentials.key_id, tenant_id, merchant_id, environment, secret_hash, scopes, revoked_at,
       rate_limit_per_s, rate_limit_burst, coalesce(units, 0) AS used_units,
       ARRAY(SELECT origin
             FROM redirect_origins
             WHERE redirect_origins.merchant_id = tenants.merchant_id) AS redirect_origins
FROM credentials
JOIN tenants USING (tenant_id)
LEFT JOIN credential_usage USING (key_id)
WHERE credentials.key_id = $1
