-- The latest event that declined a movement of this reference, in the one currency, and of these
-- wallets only, where they are given. $1 uuid tenant  $2 text reference  $3 text currency
-- $4 uuid array: wallets, or null for all
SELECT position, stream_id, version, event_id, type, schema_version, data, recorded_at
FROM events
WHERE tenant_id = $1::uuid
  AND (data ->> 'reference') = $2::text
  AND type IN ('wallet.debit_declined', 'wallet.credit_declined', 'wallet.topup_unapplied')
  AND (data ->> 'currency') = $3::text
  AND ($4::uuid[] IS NULL OR stream_id = ANY ($4::uuid[]))
ORDER BY position DESC
LIMIT 1
