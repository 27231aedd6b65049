-- The log in order. $1 bigint after position, $2 bigint at most
SELECT position, tenant_id, stream_id, version, event_id, type, schema_version, data, metadata,
       recorded_at, hash
FROM events WHERE position > $1 ORDER BY position LIMIT $2
