-- Where in the log some wallets' events stand.
-- arrays, one element a wallet, * spelled as text: $1* uuid tenant, $2* uuid wallet, $3 bigint
--   first version, $4 bigint last version
SELECT asked.tenant_id, event.position
FROM unnest($1::text::uuid[], $2::text::uuid[], $3::bigint[], $4::bigint[])
     AS asked (tenant_id, wallet_id, first_version, last_version)
CROSS JOIN LATERAL (
    SELECT position FROM events
    WHERE events.tenant_id = asked.tenant_id AND events.stream_id = asked.wallet_id
      AND events.version BETWEEN asked.first_version AND asked.last_version
) AS event
