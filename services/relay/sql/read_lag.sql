-- How far a topic generation is published, how far the log is, and how long the first event
-- between the two has waited; and whether no newer generation has taken over.
-- $1 integer generation
SELECT published.position AS published_position,
       coalesce((SELECT last_position FROM appends ORDER BY number DESC LIMIT 1), 0)
           AS head_position,
       (SELECT extract(epoch FROM clock_timestamp() - recorded_at)::double precision
        FROM events WHERE position = published.position + 1) AS waiting_s,
       NOT EXISTS (SELECT FROM relay_progress AS newer
                   WHERE newer.generation > $1::integer AND NOT newer.is_filling) AS is_current
FROM (SELECT coalesce(max(published_position), 0) AS position
      FROM relay_progress WHERE generation = $1::integer) AS published
