-- Which wallet a call about a customer is about, and what the call has come to before, if it was
-- made before: then it is the same wallet again, although the customer may have another one by
-- now. Else it is the open one, or the last that was closed. No row: there is no such customer,
-- or none with a wallet in this currency.
-- $1 uuid tenant  $2 uuid user  $3 text currency  $4 text reference, or null
-- $5 text command id, or null
WITH known AS (
    SELECT e.stream_id
    FROM command_outcomes AS o
    JOIN events AS e ON e.position = o.position
    WHERE o.tenant_id = $1::uuid AND o.command_id = $5::text
    UNION ALL
    SELECT e.stream_id
    FROM consumed_references AS r
    JOIN events AS e ON e.position = r.position
    WHERE r.tenant_id = $1::uuid AND r.reference = $4::text
)
SELECT w.wallet_id
FROM customers AS c
JOIN wallets AS w
    ON w.tenant_id = c.tenant_id AND w.customer_id = c.customer_id AND w.currency = $3::text
LEFT JOIN wallet_closures AS closed
    ON closed.tenant_id = w.tenant_id AND closed.wallet_id = w.wallet_id
WHERE c.tenant_id = $1::uuid AND c.user_id = $2::uuid
ORDER BY w.wallet_id IN (SELECT stream_id FROM known) DESC, closed.wallet_id IS NOT NULL,
         w.position DESC
LIMIT 1
