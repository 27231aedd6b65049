-- The events after a position, as bytes wherever the relay only passes them on.
-- The range has an upper end instead of a LIMIT, so that no plan reads to the end of the log.
-- $1 bigint position  $2 bigint how many at most
SELECT position,
       uuid_send(tenant_id)          AS tenant_id,
       uuid_send(stream_id)          AS stream_id,
       version,
       textsend(event_id::text)      AS event_id,
       type,
       schema_version,
       json_send(data)               AS data,
       json_send(metadata)           AS metadata,
       timestamptz_send(recorded_at) AS recorded_at,
       hash
FROM events
WHERE position > $1::bigint AND position <= $1::bigint + $2::bigint
ORDER BY position
