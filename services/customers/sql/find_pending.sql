-- A wallet's review, as the read model has it, and whose it is. $1 uuid wallet
SELECT b.tenant_id, b.user_id, b.review, b.status, b.is_erased, b.identity, b.created_at,
       t.environment, m.name AS merchant
FROM balances AS b
JOIN tenants AS t ON t.tenant_id = b.tenant_id
JOIN merchants AS m ON m.merchant_id = t.merchant_id
WHERE b.wallet_id = $1::uuid
