-- The hash of the log's first event; no row while there is none. No parameters.
SELECT hash FROM events WHERE position = 1
