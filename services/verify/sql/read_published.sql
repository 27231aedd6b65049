-- What the log has at some positions, as it is to be published. $1 bigint[] positions
SELECT position, tenant_id, stream_id, version, event_id, type, schema_version, data, metadata,
       recorded_at, hash
FROM events
WHERE position = ANY ($1::bigint[])
