-- One wallet's events in order. $1 uuid tenant, $2 uuid wallet, $3 bigint after version,
-- $4 bigint at most
SELECT position, tenant_id, stream_id, version, event_id, type, schema_version, data, metadata,
       recorded_at, hash
FROM events
WHERE tenant_id = $1 AND stream_id = $2 AND version > $3
ORDER BY version LIMIT $4
