-- Entries that differ between the rebuilt and the live journal, or that only one has: each
-- event that does not have two equal entries, or none. An entry is found by its accounts, so
-- every account of the tenant is asked for it.
-- arrays, one element a wallet: $1 uuid tenant, $2 uuid wallet, $3 bigint first version,
--   $4 bigint last version
SELECT line.position, string_agg(line.side || ' ' || line.content, ', ') AS found
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[])
     AS asked (tenant_id, wallet_id, first_version, last_version)
CROSS JOIN LATERAL (
    SELECT position FROM events
    WHERE events.tenant_id = asked.tenant_id AND events.stream_id = asked.wallet_id
      AND events.version BETWEEN asked.first_version AND asked.last_version
) AS event
CROSS JOIN LATERAL (
    SELECT 'rebuilt' AS side, r.position, r::text AS content
    FROM accounts AS a
    JOIN journal_entries AS r
        ON r.tenant_id = a.tenant_id AND r.debit_account = a.account
       AND r.currency = a.currency AND r.position = event.position
    WHERE a.tenant_id = asked.tenant_id
    UNION ALL
    SELECT 'live', l.position, l::text
    FROM live_accounts AS a
    JOIN live_journal_entries AS l
        ON l.tenant_id = a.tenant_id AND l.debit_account = a.account
       AND l.currency = a.currency AND l.position = event.position
    WHERE a.tenant_id = asked.tenant_id
) AS line
GROUP BY asked.tenant_id, line.position
HAVING count(*) <> 2 OR min(line.content) <> max(line.content)
