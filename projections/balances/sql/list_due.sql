-- Wallets of any tenant in which money lapses, or a hold or a top-up ends, by a moment, soonest
-- first. Each of the three goes by an index that has nothing else in it. Of a wallet's holds only
-- the one that ends first counts, so that a wallet with many of them leaves room for others; no
-- more are looked at than fifty wallets may have, so that it does not take long after a long
-- outage either.
-- $1 timestamptz the moment  $2 bigint at most
SELECT due.tenant_id, due.wallet_id, min(due.due_at) AS due_at
FROM (
    (SELECT balances.tenant_id, balances.wallet_id, balances.expiring_next_at AS due_at
     FROM balances
     WHERE balances.expiring_next_at IS NOT NULL AND balances.expiring_next_at <= $1::timestamptz
     ORDER BY balances.expiring_next_at
     LIMIT $2::bigint)
    UNION ALL
    (SELECT ending.tenant_id, ending.wallet_id, ending.expires_at
     FROM (SELECT tenant_id, wallet_id, hold_id, expires_at
           FROM holds
           WHERE status = 'open' AND expires_at IS NOT NULL AND expires_at <= $1::timestamptz
           ORDER BY expires_at
           LIMIT 50000) AS ending
     WHERE ending.hold_id = (SELECT first.hold_id
                             FROM holds AS first
                             WHERE first.tenant_id = ending.tenant_id
                               AND first.wallet_id = ending.wallet_id
                               AND first.status = 'open' AND first.expires_at IS NOT NULL
                             ORDER BY first.expires_at, first.hold_id
                             LIMIT 1)
     ORDER BY ending.expires_at
     LIMIT $2::bigint)
    UNION ALL
    (SELECT topups.tenant_id, topups.wallet_id, topups.expires_at
     FROM topups
     WHERE topups.status = 'pending' AND topups.expires_at <= $1::timestamptz
     ORDER BY topups.expires_at
     LIMIT $2::bigint)
) AS due
GROUP BY due.tenant_id, due.wallet_id
ORDER BY min(due.due_at), due.tenant_id, due.wallet_id
LIMIT $2::bigint
