-- Who was erased after a position. $1 bigint after this position
SELECT tenant_id, (data ->> 'user_id')::uuid AS user_id
FROM events
WHERE type = 'wallet.customer_erased' AND position > $1::bigint
