-- The merchant that a tenant belongs to.
-- $1 uuid tenant
SELECT m.name, m.created_at
FROM tenants AS t
JOIN merchants AS m ON m.merchant_id = t.merchant_id
WHERE t.tenant_id = $1::uuid
