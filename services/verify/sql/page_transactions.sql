-- A page of the rows of `transactions`, and whether the log has the event that each is.
-- $1 uuid tenant, $2 uuid wallet, $3 text status and $4 bigint version after which the page
-- begins  $5 bigint at most
SELECT page.tenant_id, page.wallet_id, page.status, page.version,
       events.position IS NOT NULL AS in_log
FROM (SELECT tenant_id, wallet_id, status, version, event_id, position
      FROM transactions
      WHERE (tenant_id, wallet_id, status, version)
            > ($1::uuid, $2::uuid, $3::text COLLATE "C", $4::bigint)
      ORDER BY tenant_id, wallet_id, status, version
      LIMIT $5::bigint) AS page
LEFT JOIN events
    ON events.tenant_id = page.tenant_id AND events.stream_id = page.wallet_id
   AND events.version = page.version AND events.event_id = page.event_id
   AND events.position = page.position
ORDER BY page.tenant_id, page.wallet_id, page.status, page.version
