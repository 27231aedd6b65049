-- A page of tenants with their merchants. $1 uuid tenant after which the page begins
-- $2 bigint at most
SELECT t.tenant_id, t.merchant_id, t.environment, m.name, m.created_at AS made_at
FROM (SELECT tenant_id, merchant_id, environment
      FROM tenants
      WHERE tenant_id > $1::uuid
      ORDER BY tenant_id
      LIMIT $2::bigint) AS t
LEFT JOIN merchants AS m ON m.merchant_id = t.merchant_id
ORDER BY t.tenant_id
