-- What idempotency remembers of a batch's command ids and references, the time, and the
-- head in the same snapshot (first row).
-- $1 uuid[] tenants and $2 text[] command ids; $3 uuid[] tenants and $4 text[] references
WITH head AS (SELECT number, hash FROM appends ORDER BY number DESC LIMIT 1)
SELECT 'head' AS kind, NULL::text AS key, NULL::bytea AS fingerprint, NULL::json AS outcome,
       clock_timestamp() AS now,
       coalesce((SELECT number FROM head), 0) AS position,
       NULL::uuid AS tenant_id, NULL::uuid AS stream_id, NULL::bigint AS version,
       NULL::uuid AS event_id, NULL::text AS type, NULL::smallint AS schema_version,
       NULL::json AS data, NULL::json AS metadata, NULL::timestamptz AS recorded_at,
       (SELECT hash FROM head) AS hash
UNION ALL
SELECT 'command_id', o.command_id, o.fingerprint, o.outcome, NULL, o.position, o.tenant_id,
       e.stream_id, e.version, e.event_id, e.type, e.schema_version, e.data, e.metadata,
       e.recorded_at, e.hash
FROM unnest($1::uuid[], $2::text[]) AS asked (tenant_id, key)
JOIN command_outcomes o ON o.tenant_id = asked.tenant_id AND o.command_id = asked.key
LEFT JOIN events e ON e.position = o.position
UNION ALL
SELECT 'reference', r.reference, r.fingerprint, NULL, NULL, r.position, r.tenant_id,
       e.stream_id, e.version, e.event_id, e.type, e.schema_version, e.data, e.metadata,
       e.recorded_at, e.hash
FROM unnest($3::uuid[], $4::text[]) AS asked (tenant_id, key)
JOIN consumed_references r ON r.tenant_id = asked.tenant_id AND r.reference = asked.key
LEFT JOIN events e ON e.position = r.position
