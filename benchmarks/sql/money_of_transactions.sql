-- The money that the history adds up to, by type and kind; amounts in minor units.
-- $1 uuid tenant
SELECT type, kind, count(*) AS transactions, sum(amount)::bigint AS amount
FROM transactions
WHERE tenant_id = $1::uuid AND status = 'completed'
GROUP BY type, kind
