-- Cold wallets: each one's newest snapshot (with the hash that the log has there) and the
-- events after it, in order, up to a limit. A tenant's own stream, which has its id, is no wallet.
-- $1 uuid[] tenants, $2 uuid[] wallets, $3 bigint events at most per wallet
SELECT asked.tenant_id, asked.stream_id, s.version AS snapshot_version, s.event_hash,
       s.state_version, s.state, at_snapshot.hash AS snapshot_event_hash,
       e.position, e.version, e.event_id, e.type, e.schema_version, e.data, e.metadata,
       e.recorded_at, e.hash
FROM unnest($1::uuid[], $2::uuid[]) AS asked (tenant_id, stream_id)
LEFT JOIN snapshots s
    ON s.tenant_id = asked.tenant_id AND s.stream_id = asked.stream_id
LEFT JOIN events at_snapshot
    ON at_snapshot.tenant_id = asked.tenant_id AND at_snapshot.stream_id = asked.stream_id
    AND at_snapshot.version = s.version
LEFT JOIN LATERAL (
    SELECT * FROM events
    WHERE tenant_id = asked.tenant_id AND stream_id = asked.stream_id
      AND version > coalesce(s.version, 0) AND stream_id <> tenant_id
    ORDER BY version
    LIMIT $3
) e ON true
ORDER BY asked.tenant_id, asked.stream_id, e.version
