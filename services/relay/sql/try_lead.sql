-- Take the lock of the one active relay, for as long as the session lives.
-- $1 integer lock class  $2 integer topic generation
SELECT pg_try_advisory_lock($1::integer, $2::integer)
