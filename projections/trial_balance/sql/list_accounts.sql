-- The accounts with everything that was booked by now. $1 uuid tenant, or null for all
SELECT tenant_id, account, currency, debits, credits, entry_count
FROM accounts
WHERE $1::uuid IS NULL OR tenant_id = $1::uuid
ORDER BY tenant_id, currency, account
