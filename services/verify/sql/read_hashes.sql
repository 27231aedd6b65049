-- What the log has at some positions. $1 bigint[] positions
SELECT position, tenant_id, stream_id, version, hash
FROM events
WHERE position = ANY ($1::bigint[])
