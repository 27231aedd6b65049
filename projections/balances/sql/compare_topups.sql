-- Top-ups that these events concern, where the rebuilt row differs from the live one although
-- both are at one version, or where only one of the two tables has it.
-- arrays, one element a wallet: $1 uuid tenant, $2 uuid wallet, $3 bigint first version,
--   $4 bigint last version
SELECT touched.topup_id, to_json(rebuilt) AS rebuilt, to_json(live) AS live
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[])
     AS asked (tenant_id, wallet_id, first_version, last_version)
CROSS JOIN LATERAL (
    SELECT DISTINCT substr(events.data ->> 'topup_id', 5)::uuid AS topup_id
    FROM events
    WHERE events.tenant_id = asked.tenant_id AND events.stream_id = asked.wallet_id
      AND events.version BETWEEN asked.first_version AND asked.last_version
      AND events.type IN ('wallet.topup_created', 'wallet.topped_up', 'wallet.topup_ended',
                          'wallet.topup_unapplied')
) AS touched
LEFT JOIN topups AS rebuilt
    ON rebuilt.tenant_id = asked.tenant_id AND rebuilt.topup_id = touched.topup_id
LEFT JOIN live_topups AS live
    ON live.tenant_id = asked.tenant_id AND live.topup_id = touched.topup_id
WHERE live.version IS NULL
   OR live.version < rebuilt.version
   OR (live.version = rebuilt.version AND rebuilt::text IS DISTINCT FROM live::text)
