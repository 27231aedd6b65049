-- A page of the rows of `topups`, and whether the log has the event that made each.
-- $1 uuid tenant and $2 uuid top-up after which the page begins  $3 bigint at most
SELECT page.tenant_id, page.topup_id, page.opened_version, events.position IS NOT NULL AS in_log
FROM (SELECT tenant_id, wallet_id, topup_id, opened_version
      FROM topups
      WHERE (tenant_id, topup_id) > ($1::uuid, $2::uuid)
      ORDER BY tenant_id, topup_id
      LIMIT $3::bigint) AS page
LEFT JOIN events
    ON events.tenant_id = page.tenant_id AND events.stream_id = page.wallet_id
   AND events.version = page.opened_version AND events.event_id = page.topup_id
ORDER BY page.tenant_id, page.topup_id
