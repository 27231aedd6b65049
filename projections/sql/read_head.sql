-- The newest position of the log; 0 while it is empty.
SELECT coalesce((SELECT position FROM events ORDER BY position DESC LIMIT 1), 0)
