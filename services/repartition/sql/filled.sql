-- How far a generation is filled, and how far the log is. $1 integer generation
SELECT published_position AS position,
       coalesce((SELECT last_position FROM appends ORDER BY number DESC LIMIT 1), 0) AS head
FROM relay_progress
WHERE generation = $1::integer
