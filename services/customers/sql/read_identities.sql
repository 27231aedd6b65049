-- Every sealed identity that the log has of these wallets. $1 uuid tenant  $2 uuid array: wallets
SELECT DISTINCT data ->> 'identity' AS identity
FROM events
WHERE tenant_id = $1::uuid AND stream_id = ANY ($2::uuid[])
  AND type IN ('wallet.opened', 'wallet.tier_raised') AND (data ->> 'identity') IS NOT NULL
