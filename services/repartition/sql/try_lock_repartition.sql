-- Only one call fills a generation of the topic at a time, for as long as the session lives.
SELECT pg_try_advisory_lock(hashtext('ledger repartition'), 0)
