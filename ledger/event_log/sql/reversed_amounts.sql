-- How much of each transaction is reversed: what its newest reversal says.
-- $1 uuid[] tenants, $2 uuid[] transactions, $3 text[] the same as events spell them
SELECT asked.tenant_id, asked.event_id, newest.reversed_after
FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS asked (tenant_id, event_id, transaction_id)
CROSS JOIN LATERAL (
    SELECT (e.data ->> 'reversed_after')::bigint AS reversed_after
    FROM events e
    WHERE e.tenant_id = asked.tenant_id AND (e.data ->> 'transaction_id') = asked.transaction_id
      AND e.type IN ('wallet.debit_reversed', 'wallet.credit_reversed')
    ORDER BY e.position DESC
    LIMIT 1
) AS newest
