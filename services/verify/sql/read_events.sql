-- The log as it was hashed. $1 bigint after this position  $2 bigint up to and with this one
SELECT position, tenant_id, stream_id, version, event_id, type, schema_version, data, metadata,
       recorded_at, hash
FROM events
WHERE position > $1::bigint AND position <= $2::bigint
ORDER BY position
