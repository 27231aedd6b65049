-- Wallets' events by their ids, each only if it is the tenant's; what stands in the tenant's own
-- stream is nothing that a client can name.
-- $1 uuid[] tenants, $2 uuid[] event ids
SELECT e.position, e.tenant_id, e.stream_id, e.version, e.event_id, e.type, e.schema_version,
       e.data, e.metadata, e.recorded_at, e.hash
FROM unnest($1::uuid[], $2::uuid[]) AS asked (tenant_id, event_id)
JOIN events e ON e.event_id = asked.event_id AND e.tenant_id = asked.tenant_id
    AND e.stream_id <> e.tenant_id
