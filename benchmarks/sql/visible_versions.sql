-- How far the read models show these wallets.
-- $1 uuid tenant  $2 uuid[] wallets
SELECT balances.wallet_id,
       balances.version AS balances_version,
       history.version  AS transactions_version,
       journal.version  AS trial_balance_version
FROM balances
JOIN transaction_progress AS history USING (tenant_id, wallet_id)
JOIN journal_progress AS journal USING (tenant_id, wallet_id)
WHERE balances.tenant_id = $1::uuid AND balances.wallet_id = ANY ($2::uuid[])
