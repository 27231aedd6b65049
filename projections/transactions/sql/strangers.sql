-- One page of the live wallets, and whether each is one that neither the rebuilt table has nor
-- the log behind a position; and whether both, at one version, count other lines.
-- $1 uuid tenant and $2 uuid wallet after which the page begins  $3 bigint at most
-- $4 bigint position up to which the log is folded
SELECT page.tenant_id, page.wallet_id,
       rebuilt.version IS NULL AND NOT EXISTS (
           SELECT FROM events
           WHERE events.tenant_id = page.tenant_id AND events.stream_id = page.wallet_id
             AND events.version = 1 AND events.position > $4::bigint
       ) AS stranger,
       rebuilt.version IS NOT DISTINCT FROM page.version
           AND rebuilt.lines IS DISTINCT FROM page.lines AS miscounted
FROM (SELECT tenant_id, wallet_id, version, lines
      FROM live_transaction_progress
      WHERE (tenant_id, wallet_id) > ($1::uuid, $2::uuid)
      ORDER BY tenant_id, wallet_id
      LIMIT $3::bigint) AS page
LEFT JOIN transaction_progress AS rebuilt USING (tenant_id, wallet_id)
ORDER BY page.tenant_id, page.wallet_id
