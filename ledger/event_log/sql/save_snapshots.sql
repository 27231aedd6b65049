-- Keep newer snapshots. Arrays: $1 uuid tenants, $2 uuid wallets, $3 bigint versions,
-- $4 bytea event hashes, $5 smallint state versions, $6 json states
INSERT INTO snapshots (tenant_id, stream_id, version, event_hash, state_version, state)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bytea[], $5::smallint[],
                     $6::json[])
ON CONFLICT (tenant_id, stream_id) DO UPDATE
SET version = excluded.version, event_hash = excluded.event_hash,
    state_version = excluded.state_version, state = excluded.state
WHERE snapshots.version < excluded.version OR snapshots.state_version <> excluded.state_version
