-- One wallet's events after a version, in order.
-- $1 uuid tenant  $2 uuid wallet  $3 bigint after this version  $4 bigint at most
SELECT position, tenant_id, stream_id, version, event_id, type, schema_version, data,
       recorded_at, hash
FROM events
WHERE tenant_id = $1::uuid AND stream_id = $2::uuid AND version > $3::bigint
ORDER BY version
LIMIT $4::bigint
