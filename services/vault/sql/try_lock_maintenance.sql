-- Whether this session has now the right to rotate or restore; it ends with the session. $1 key
SELECT pg_try_advisory_lock($1)
