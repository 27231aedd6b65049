-- Which wallet an event belongs to, if it is the tenant's. $1 uuid tenant  $2 uuid event
SELECT stream_id, version
FROM events
WHERE event_id = $2::uuid AND tenant_id = $1::uuid
