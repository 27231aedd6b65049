-- Who was sealed for tier three, in the order of the log.
-- $1 bigint after this position  $2 bigint at most
SELECT e.position, e.tenant_id, c.user_id, e.data ->> 'identity' AS identity
FROM events AS e
JOIN wallets AS w ON w.tenant_id = e.tenant_id AND w.wallet_id = e.stream_id
JOIN customers AS c ON c.tenant_id = w.tenant_id AND c.customer_id = w.customer_id
WHERE e.type IN ('wallet.opened', 'wallet.tier_raised') AND (e.data ->> 'tier') = 'TIER_THREE'
  AND (e.data ->> 'identity') IS NOT NULL AND e.position > $1::bigint
ORDER BY e.position
LIMIT $2::bigint
