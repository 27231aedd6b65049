-- The newest append; no row in an empty log.
SELECT number, last_position FROM appends ORDER BY number DESC LIMIT 1
