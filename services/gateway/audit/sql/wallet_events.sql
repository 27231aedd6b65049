-- A wallet's events below a version, newest first, each with the wallet's newest version. One row
-- without an event, if there is none below; no row, if the tenant has no such wallet. A tenant's
-- own stream, which has its id, is none.
-- $1 uuid tenant  $2 uuid wallet  $3 bigint only below this version  $4 bigint at most
SELECT newest.version AS newest, e.event_id, e.position, e.version, e.type, e.data, e.metadata,
       e.recorded_at
FROM (SELECT version FROM events
      WHERE tenant_id = $1::uuid AND stream_id = $2::uuid AND stream_id <> tenant_id
      ORDER BY version DESC LIMIT 1) AS newest
LEFT JOIN LATERAL
     (SELECT event_id, position, version, type, data, metadata, recorded_at FROM events
      WHERE tenant_id = $1::uuid AND stream_id = $2::uuid AND version < $3::bigint
      ORDER BY version DESC LIMIT $4::bigint) AS e ON true
ORDER BY e.version DESC
