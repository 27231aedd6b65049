-- Up to which position every event is booked, looking at no more than so many events behind
-- where that was known to be so; and the newest position of the log. An event is booked if its
-- wallet's are, up to its version. Each LIMIT pins a plan: events in order, until one is not
-- booked; a look-up for each. A tenant's own stream, which has its id, is never booked. Tables are locked in the order in which they are named, which must
-- be the one in which a rebuild that takes over locks them: `first_locked` is for that only.
-- $1 bigint how many events to look at
WITH first_locked AS (
    SELECT FROM journal_progress LIMIT 0
),
known AS MATERIALIZED (
    SELECT coalesce((SELECT position FROM journal_completeness WHERE is_only), 0) AS position,
           coalesce((SELECT position FROM events ORDER BY position DESC LIMIT 1), 0) AS head
)
SELECT coalesce(
           (SELECT e.position - 1
            FROM (SELECT position, tenant_id, stream_id, version
                  FROM events
                  WHERE position > (SELECT position FROM known)
                  ORDER BY position
                  LIMIT $1::bigint) AS e
            LEFT JOIN LATERAL (SELECT p.version
                               FROM journal_progress AS p
                               WHERE p.tenant_id = e.tenant_id AND p.wallet_id = e.stream_id
                               LIMIT 1) AS booked ON true
            WHERE e.version > coalesce(booked.version, 0) AND e.stream_id <> e.tenant_id
            ORDER BY e.position
            LIMIT 1),
           greatest(least(known.head, known.position + $1::bigint), known.position)
       ) AS position,
       known.head
FROM known
