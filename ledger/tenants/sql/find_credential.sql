-- $1 key_id text: the credential and whose it is, ended or not, with the origins to which its
-- merchant lets browsers be sent, and how much of it gateways have let through. One whose time is
-- over is as good as revoked: it is the database's clock that says so, and whoever keeps the
-- answer for a second learns it as soon.
SELECT credentials.key_id, tenant_id, merchant_id, environment, secret_hash, scopes,
       coalesce(revoked_at, CASE WHEN expires_at <= clock_timestamp() THEN expires_at END)
           AS revoked_at,
       rate_limit_per_s, rate_limit_burst, coalesce(units, 0) AS used_units,
       ARRAY(SELECT origin
             FROM redirect_origins
             WHERE redirect_origins.merchant_id = tenants.merchant_id) AS redirect_origins
FROM credentials
JOIN tenants USING (tenant_id)
LEFT JOIN credential_usage USING (key_id)
WHERE credentials.key_id = $1
