-- Whose a wallet is. $1 uuid wallet
SELECT w.tenant_id, t.environment
FROM wallets AS w
JOIN tenants AS t ON t.tenant_id = w.tenant_id
WHERE w.wallet_id = $1::uuid
