-- A page of the snapshots, without their states, and whether the log has the event of each.
-- $1 uuid tenant and $2 uuid wallet after which the page begins  $3 bigint at most
SELECT page.tenant_id, page.stream_id, page.version, events.position IS NOT NULL AS in_log
FROM (SELECT tenant_id, stream_id, version
      FROM snapshots
      WHERE (tenant_id, stream_id) > ($1::uuid, $2::uuid)
      ORDER BY tenant_id, stream_id
      LIMIT $3::bigint) AS page
LEFT JOIN events
    ON events.tenant_id = page.tenant_id AND events.stream_id = page.stream_id
   AND events.version = page.version
ORDER BY page.tenant_id, page.stream_id
