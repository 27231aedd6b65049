-- A customer's wallets in a currency: the open one first, then the closed ones, the last first.
-- $1 uuid tenant  $2 uuid user  $3 text currency
SELECT w.wallet_id
FROM customers AS c
JOIN wallets AS w
    ON w.tenant_id = c.tenant_id AND w.customer_id = c.customer_id AND w.currency = $3::text
LEFT JOIN wallet_closures AS closed
    ON closed.tenant_id = w.tenant_id AND closed.wallet_id = w.wallet_id
WHERE c.tenant_id = $1::uuid AND c.user_id = $2::uuid
ORDER BY closed.wallet_id IS NOT NULL, w.position DESC
