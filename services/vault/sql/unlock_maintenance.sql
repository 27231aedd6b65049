-- Give the right back. $1 key
SELECT pg_advisory_unlock($1)
