-- An event of one of the tenant's wallets by its id. $1 uuid tenant  $2 uuid event
SELECT position, stream_id, version, event_id, type, schema_version, data, recorded_at
FROM events
WHERE event_id = $2::uuid AND tenant_id = $1::uuid AND stream_id <> tenant_id
