-- Events that did not arrive, by wallet and version, in each wallet's order.
-- arrays, one element a hole: $1 uuid tenant, $2 uuid wallet, $3 bigint first missing version,
--   $4 bigint last missing version
SELECT e.position, e.tenant_id, e.stream_id, e.version, e.event_id, e.type, e.schema_version,
       e.data, e.recorded_at, e.hash
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[])
     WITH ORDINALITY AS hole (tenant_id, stream_id, first_version, last_version, place)
CROSS JOIN LATERAL (
    SELECT events.*
    FROM events
    WHERE events.tenant_id = hole.tenant_id
      AND events.stream_id = hole.stream_id
      AND events.version BETWEEN hole.first_version AND hole.last_version
) AS e
ORDER BY hole.place, e.version
