-- Which of the tenant's wallets an event belongs to; one of the tenant's own stream is of none.
-- $1 uuid tenant  $2 uuid event
SELECT stream_id, version
FROM events
WHERE event_id = $2::uuid AND tenant_id = $1::uuid AND stream_id <> tenant_id
