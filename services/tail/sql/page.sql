-- The events after a position, for people. $1 bigint position  $2 bigint how many at most
SELECT position, tenant_id, stream_id, version, type, schema_version, data, metadata, recorded_at
FROM events
WHERE position > $1::bigint AND position <= $1::bigint + $2::bigint
ORDER BY position
