-- The head of the log, and since when the first unpublished event has waited.
-- $1 bigint published position
SELECT coalesce(head.last_position, 0) AS head_position,
       (SELECT extract(epoch FROM clock_timestamp() - recorded_at)::double precision
        FROM events WHERE position = $1::bigint + 1) AS waiting_s
FROM (SELECT 1) AS always
LEFT JOIN (SELECT last_position FROM appends ORDER BY number DESC LIMIT 1) AS head ON true
