-- Tenants by their ids or their merchants', with the origins on the merchant's list.
-- $1 uuid[] tenants, $2 uuid[] merchants
SELECT tenant_id, merchant_id, environment,
       ARRAY(SELECT origin
             FROM redirect_origins
             WHERE redirect_origins.merchant_id = tenants.merchant_id) AS redirect_origins
FROM tenants
WHERE tenant_id = ANY ($1::uuid[]) OR merchant_id = ANY ($2::uuid[])
