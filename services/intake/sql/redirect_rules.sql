-- To where tenants let browsers be sent after a top-up; no origin: everywhere.
-- $1 uuid[]: tenant ids
SELECT tenant_id, environment,
       ARRAY(SELECT origin
             FROM redirect_origins
             WHERE redirect_origins.merchant_id = tenants.merchant_id) AS redirect_origins
FROM tenants
WHERE tenant_id = ANY ($1)
