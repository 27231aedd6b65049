-- $1 key bigint: let others migrate.
SELECT pg_advisory_unlock($1)
