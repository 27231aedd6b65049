-- The newest append; no row in an empty log.
SELECT number, hash, last_position, recorded_at FROM appends ORDER BY number DESC LIMIT 1
