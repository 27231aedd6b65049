-- Of one tenant, some blocks of positions in which wallets were opened, and those of them in which
-- the wallets are not as many as were counted. No row: there are no more. A row whose currency is
-- null: all is counted right.
-- $1 uuid tenant and $2 bigint block with which to begin, or behind them  $3 bigint blocks
WITH first AS (
    SELECT tenant_id, block
    FROM ((SELECT tenant_id, opened_position / 16384 AS block
           FROM balances
           WHERE opened_position > 0
             AND (tenant_id, opened_position) >= ($1::uuid, $2::bigint * 16384)
           ORDER BY tenant_id, opened_position
           LIMIT 1)
          UNION ALL
          (SELECT tenant_id, block
           FROM wallet_counts
           WHERE (tenant_id, block) >= ($1::uuid, $2::bigint)
           ORDER BY tenant_id, block
           LIMIT 1)) AS next
    ORDER BY tenant_id, block
    LIMIT 1
)
SELECT first.tenant_id, first.block + $3::bigint AS next_block, wrong.block, wrong.currency,
       wrong.wallets, wrong.counted
FROM first
LEFT JOIN LATERAL (
    SELECT block, currency, coalesce(there.wallets, 0) AS wallets,
           coalesce(kept.wallets, 0) AS counted
    FROM (SELECT opened_position / 16384 AS block, currency, count(*) AS wallets
          FROM balances
          WHERE tenant_id = first.tenant_id AND opened_position > 0
            AND opened_position >= first.block * 16384
            AND opened_position < (first.block + $3::bigint) * 16384
          GROUP BY 1, 2) AS there
    FULL JOIN (SELECT block, currency, wallets
               FROM wallet_counts
               WHERE tenant_id = first.tenant_id
                 AND block >= first.block AND block < first.block + $3::bigint) AS kept
        USING (block, currency)
    WHERE there.wallets IS DISTINCT FROM kept.wallets
) AS wrong ON true
