-- The reversal of a transaction under a reference. $1 uuid tenant
-- $2 text transaction, as events spell it  $3 text reference
SELECT position, stream_id, version, event_id, type, schema_version, data, recorded_at
FROM events
WHERE tenant_id = $1::uuid
  AND (data ->> 'transaction_id') = $2::text
  AND type IN ('wallet.debit_reversed', 'wallet.credit_reversed')
  AND (data ->> 'reference') = $3::text
