-- A page of the wallets by name, and whether the log has the event that opened each.
-- $1 uuid tenant and $2 uuid wallet after which the page begins  $3 bigint at most
SELECT page.tenant_id, page.wallet_id, page.position, events.position IS NOT NULL AS in_log
FROM (SELECT tenant_id, wallet_id, position
      FROM wallets
      WHERE (tenant_id, wallet_id) > ($1::uuid, $2::uuid)
      ORDER BY tenant_id, wallet_id
      LIMIT $3::bigint) AS page
LEFT JOIN events
    ON events.position = page.position AND events.tenant_id = page.tenant_id
   AND events.stream_id = page.wallet_id AND events.version = 1
ORDER BY page.tenant_id, page.wallet_id
