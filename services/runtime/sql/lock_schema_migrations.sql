-- $1 key bigint: wait until nobody else migrates this database; the session holds the lock.
SELECT pg_advisory_lock($1)
