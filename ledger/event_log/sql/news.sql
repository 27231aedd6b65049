-- What others appended: the newest append, the hash kept at the append that was seen, and
-- the events since, unless there are too many (then none).
-- $1 bigint number seen, $2 bigint position seen, $3 bigint events at most
WITH head AS (
    SELECT number, hash, last_position, recorded_at FROM appends ORDER BY number DESC LIMIT 1
)
SELECT head.number AS head_number, head.hash AS head_hash, head.last_position,
       head.recorded_at AS head_recorded_at, kept.hash AS kept_hash, e.*
FROM head
LEFT JOIN appends kept ON kept.number = $1
LEFT JOIN LATERAL (
    SELECT position, tenant_id, stream_id, version, event_id, type, schema_version, data,
           metadata, recorded_at, hash
    FROM events WHERE position > $2 AND head.last_position - $2 <= $3
    ORDER BY position
) e ON true
ORDER BY e.position
