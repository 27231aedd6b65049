-- Tenants in which this is a customer, the database's time, and all the customer's wallets.
-- $1 uuid user  $2 uuid tenant, or null for all
SELECT c.tenant_id, clock_timestamp() AS now,
       ARRAY(SELECT w.wallet_id
             FROM wallets AS w
             WHERE w.tenant_id = c.tenant_id AND w.customer_id = c.customer_id
             ORDER BY w.position) AS wallet_ids
FROM customers AS c
WHERE c.user_id = $1::uuid AND ($2::uuid IS NULL OR c.tenant_id = $2::uuid)
