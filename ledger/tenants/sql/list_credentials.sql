-- $1 tenant_id uuid (null: of all): credentials without their hashes, the oldest first.
SELECT credentials.key_id, credentials.tenant_id, tenants.environment, credentials.scopes,
       credentials.rate_limit_per_s, credentials.rate_limit_burst, credentials.created_at,
       credential_usage.last_used_at, credentials.revoked_at
FROM credentials
JOIN tenants USING (tenant_id)
LEFT JOIN credential_usage USING (key_id)
WHERE $1::uuid IS NULL OR credentials.tenant_id = $1::uuid
ORDER BY credentials.created_at, credentials.key_id
