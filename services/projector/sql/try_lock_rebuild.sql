-- Only one rebuild of a projection at a time, for as long as the session lives.
-- $1 text projection
SELECT pg_try_advisory_lock(hashtext('ledger rebuild'), hashtext($1::text))
