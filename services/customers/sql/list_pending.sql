-- Wallets that wait for their review, the oldest first. $1 bigint at most
SELECT b.wallet_id, b.created_at, b.tenant_id, t.environment, m.name AS merchant
FROM balances AS b
JOIN tenants AS t ON t.tenant_id = b.tenant_id
JOIN merchants AS m ON m.merchant_id = t.merchant_id
WHERE b.review = 'pending' AND b.status <> 'closed' AND NOT b.is_erased
ORDER BY b.opened_position
LIMIT $1::bigint
