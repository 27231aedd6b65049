-- Lines of history that differ between the rebuilt and the live table, or that only one has:
-- each version that does not have two equal lines.
-- arrays, one element a wallet, * spelled as text: $1* uuid tenant, $2* uuid wallet, $3 bigint
--   first version, $4 bigint last version
SELECT asked.wallet_id, line.version, string_agg(line.side || ' ' || line.content, ', ') AS found
FROM unnest($1::text::uuid[], $2::text::uuid[], $3::bigint[], $4::bigint[])
     AS asked (tenant_id, wallet_id, first_version, last_version)
CROSS JOIN LATERAL (
    SELECT 'rebuilt' AS side, r.version, r::text AS content
    FROM transactions AS r
    WHERE r.tenant_id = asked.tenant_id AND r.wallet_id = asked.wallet_id
      AND r.status IN ('completed', 'failed')
      AND r.version BETWEEN asked.first_version AND asked.last_version
    UNION ALL
    SELECT 'live', l.version, l::text
    FROM live_transactions AS l
    WHERE l.tenant_id = asked.tenant_id AND l.wallet_id = asked.wallet_id
      AND l.status IN ('completed', 'failed')
      AND l.version BETWEEN asked.first_version AND asked.last_version
) AS line
GROUP BY asked.tenant_id, asked.wallet_id, line.version
HAVING count(*) <> 2 OR min(line.content) <> max(line.content)
