-- A tenant's wallets, newest first.
-- $1 uuid tenant  $2 bigint only those opened before this position  $3 bigint at most
SELECT wallet_id, opened_position, customer_id, user_id, currency, balance, available_balance,
       status, frozen, expiring_amount, expiring_next_at, expiring_next_amount, created_at,
       updated_at, version, metadata, tier, review, bank_code, account_number, kyc_updated,
       is_erased, identity
FROM balances
WHERE tenant_id = $1::uuid AND opened_position > 0 AND opened_position < $2::bigint
ORDER BY opened_position DESC
LIMIT $3::bigint
