-- One account with everything that was booked by now.
-- $1 uuid tenant  $2 text account  $3 text currency
SELECT tenant_id, account, currency, debits, credits, entry_count
FROM accounts
WHERE tenant_id = $1::uuid AND account = $2::text AND currency = $3::text
