-- What was done to one tenant by administrators, newest first.
-- $1 uuid tenant  $2 bigint only before this position  $3 bigint at most
SELECT position, tenant_id, stream_id, event_id, type, schema_version, data, metadata, recorded_at
FROM events
WHERE tenant_id = $1::uuid AND position < $2::bigint
  AND (stream_id = tenant_id OR type IN ('wallet.reviewed', 'wallet.customer_erased'))
ORDER BY position DESC
LIMIT $3::bigint
