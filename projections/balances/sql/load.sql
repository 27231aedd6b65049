-- Rows by wallet; `place` is where the wallet stands in the question, from 1.
-- arrays spelled as text: $1 uuid tenants, $2 uuid wallets
SELECT asked.place, b.customer_id, b.user_id, b.currency, b.balance, b.available_balance,
       b.status, b.frozen, b.expiring_amount, b.expiring_next_at, b.expiring_next_amount,
       b.created_at, b.updated_at, b.version, b.metadata, b.tier, b.review,
       b.bank_code, b.account_number, b.kyc_updated, b.is_erased, b.identity
FROM unnest($1::text::uuid[], $2::text::uuid[])
     WITH ORDINALITY AS asked (tenant_id, wallet_id, place)
JOIN balances AS b ON b.tenant_id = asked.tenant_id AND b.wallet_id = asked.wallet_id
