-- A page of the rows of `holds`, and whether the log has the event that placed each.
-- $1 uuid tenant and $2 uuid hold after which the page begins  $3 bigint at most
SELECT page.tenant_id, page.hold_id, page.opened_version, events.position IS NOT NULL AS in_log
FROM (SELECT tenant_id, wallet_id, hold_id, opened_version
      FROM holds
      WHERE (tenant_id, hold_id) > ($1::uuid, $2::uuid)
      ORDER BY tenant_id, hold_id
      LIMIT $3::bigint) AS page
LEFT JOIN events
    ON events.tenant_id = page.tenant_id AND events.stream_id = page.wallet_id
   AND events.version = page.opened_version AND events.event_id = page.hold_id
ORDER BY page.tenant_id, page.hold_id
