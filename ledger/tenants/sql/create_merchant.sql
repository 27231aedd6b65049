-- $1 name text: a merchant with its two tenants, live and sandbox.
WITH merchant AS (
    INSERT INTO merchants (merchant_id, name)
    VALUES (gen_random_uuid(), $1)
    RETURNING merchant_id
), made AS (
    INSERT INTO tenants (tenant_id, merchant_id, environment)
    SELECT gen_random_uuid(), merchant_id, environment
    FROM merchant, unnest(ARRAY['live', 'sandbox']) AS environment
    RETURNING tenant_id, merchant_id, environment
)
SELECT merchant_id,
       (SELECT tenant_id FROM made WHERE environment = 'live') AS live_tenant_id,
       (SELECT tenant_id FROM made WHERE environment = 'sandbox') AS sandbox_tenant_id
FROM merchant
