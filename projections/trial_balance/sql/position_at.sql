-- The newest position that was recorded at a moment or before it; 0 if there is none. Positions
-- have no gaps and time never goes back along them, so it is found by halving. And whether the
-- moment is still to come.
-- $1 timestamptz moment
WITH RECURSIVE search AS (
    SELECT 0::bigint AS low,
           coalesce((SELECT position FROM events ORDER BY position DESC LIMIT 1), 0) AS high
    UNION ALL
    SELECT CASE WHEN middle.recorded_at <= $1::timestamptz THEN middle.position
                ELSE search.low END,
           CASE WHEN middle.recorded_at <= $1::timestamptz THEN search.high
                ELSE middle.position - 1 END
    FROM search
    CROSS JOIN LATERAL (SELECT events.position, events.recorded_at
                        FROM events
                        WHERE events.position = (search.low + search.high + 1) / 2) AS middle
    WHERE search.low < search.high
)
SELECT low AS position, $1::timestamptz > clock_timestamp() AS is_ahead
FROM search
WHERE low = high
