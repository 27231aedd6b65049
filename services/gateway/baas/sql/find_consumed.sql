-- The event that consumed a reference. $1 uuid tenant  $2 text reference
SELECT e.position, e.stream_id, e.version, e.event_id, e.type, e.schema_version, e.data,
       e.recorded_at
FROM consumed_references AS r
JOIN events AS e ON e.position = r.position
WHERE r.tenant_id = $1::uuid AND r.reference = $2::text
