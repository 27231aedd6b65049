-- The wallet of an account number, and whose it is. $1 uuid tenant  $2 text account number
SELECT a.wallet_id, c.user_id
FROM account_numbers AS a
JOIN wallets AS w ON w.tenant_id = a.tenant_id AND w.wallet_id = a.wallet_id
JOIN customers AS c ON c.tenant_id = w.tenant_id AND c.customer_id = w.customer_id
WHERE a.tenant_id = $1::uuid AND a.account_number = $2::text
