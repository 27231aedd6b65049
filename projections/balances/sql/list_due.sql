-- Wallets of any tenant in which money lapses or a hold ends by a moment, soonest first. Each of
-- the two goes by an index that has nothing else in it.
-- $1 timestamptz the moment  $2 bigint at most
SELECT due.tenant_id, due.wallet_id, min(due.due_at) AS due_at
FROM (
    (SELECT balances.tenant_id, balances.wallet_id, balances.expiring_next_at AS due_at
     FROM balances
     WHERE balances.expiring_next_at IS NOT NULL AND balances.expiring_next_at <= $1::timestamptz
     ORDER BY balances.expiring_next_at
     LIMIT $2::bigint)
    UNION ALL
    (SELECT holds.tenant_id, holds.wallet_id, holds.expires_at
     FROM holds
     WHERE holds.status = 'open' AND holds.expires_at IS NOT NULL
       AND holds.expires_at <= $1::timestamptz
     ORDER BY holds.expires_at
     LIMIT $2::bigint)
) AS due
GROUP BY due.tenant_id, due.wallet_id
ORDER BY min(due.due_at), due.tenant_id, due.wallet_id
LIMIT $2::bigint
