-- One page of the live top-ups, and whether each is one that neither the rebuilt table has nor the
-- log behind a position.
-- $1 uuid tenant and $2 uuid top-up after which the page begins  $3 bigint at most
-- $4 bigint position up to which the log is folded
SELECT page.tenant_id, page.topup_id,
       rebuilt.version IS NULL AND NOT EXISTS (
           SELECT FROM events
           WHERE events.tenant_id = page.tenant_id AND events.stream_id = page.wallet_id
             AND events.version = page.opened_version AND events.position > $4::bigint
       ) AS stranger
FROM (SELECT tenant_id, topup_id, wallet_id, opened_version
      FROM live_topups
      WHERE (tenant_id, topup_id) > ($1::uuid, $2::uuid)
      ORDER BY tenant_id, topup_id
      LIMIT $3::bigint) AS page
LEFT JOIN topups AS rebuilt USING (tenant_id, topup_id)
ORDER BY page.tenant_id, page.topup_id
