-- Whose these wallets are, as far as they are the tenant's and in this currency.
-- $1 uuid tenant  $2 text currency  $3 uuid array: wallets
SELECT w.wallet_id, c.user_id
FROM unnest($3::uuid[]) AS asked (wallet_id)
JOIN wallets AS w
    ON w.tenant_id = $1::uuid AND w.wallet_id = asked.wallet_id AND w.currency = $2::text
JOIN customers AS c ON c.tenant_id = w.tenant_id AND c.customer_id = w.customer_id
