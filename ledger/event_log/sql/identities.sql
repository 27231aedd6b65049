-- Whose customer ids those are who are enrolled. $1 uuid[] tenants, $2 bytea[] blind indexes
SELECT asked.tenant_id, asked.identity_index, c.customer_id
FROM unnest($1::uuid[], $2::bytea[]) AS asked (tenant_id, identity_index)
JOIN customers c
    ON c.tenant_id = asked.tenant_id AND c.identity_index = asked.identity_index
