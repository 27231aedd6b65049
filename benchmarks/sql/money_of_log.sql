-- The money that the log says was moved, by type of event; amounts in minor units.
-- $1 uuid tenant
SELECT type, count(*) AS events, coalesce(sum((data ->> 'amount')::numeric), 0)::bigint AS amount
FROM events
WHERE tenant_id = $1::uuid
  AND type IN (
    'wallet.credited', 'wallet.debited', 'wallet.hold_captured',
    'wallet.transfer_sent', 'wallet.transfer_received'
  )
GROUP BY type
