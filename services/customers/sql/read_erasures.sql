-- Customers who were erased, in the order of the log.
-- $1 bigint after this position  $2 bigint at most
SELECT position, tenant_id, data ->> 'user_id' AS user_id, recorded_at
FROM events
WHERE type = 'wallet.customer_erased' AND position > $1::bigint
ORDER BY position
LIMIT $2::bigint
