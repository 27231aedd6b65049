-- The newest position of the log.
SELECT last_position FROM appends ORDER BY number DESC LIMIT 1
