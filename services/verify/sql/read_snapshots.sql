-- The snapshots that wallets have at some of their versions.
-- arrays, one element a wallet: $1 uuid tenant, $2 uuid wallet, $3 bigint first version and
--   $4 bigint last version
SELECT asked.place, s.version, s.event_hash, s.state_version, s.state
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[])
     WITH ORDINALITY AS asked (tenant_id, wallet_id, first_version, last_version, place)
JOIN snapshots AS s
    ON s.tenant_id = asked.tenant_id AND s.stream_id = asked.wallet_id
   AND s.version BETWEEN asked.first_version AND asked.last_version
