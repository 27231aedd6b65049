-- The position before the newest events of the log. $1 bigint how many events
SELECT greatest(coalesce(max(position), 0) - $1::bigint, 0) FROM events
