-- Which customers the log names. $1 uuid array: tenants, $2 uuid array: user ids, side by side
SELECT c.tenant_id, c.user_id
FROM unnest($1::uuid[], $2::uuid[]) AS asked (tenant_id, user_id)
JOIN customers AS c USING (tenant_id, user_id)
