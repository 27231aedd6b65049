-- The rebuilt and the live entries of some tenants at a range of positions. An entry is found by
-- its accounts: each is asked once for the whole range, and whoever asks picks the positions.
-- $1 uuid[] tenants  $2 bigint first position  $3 bigint last position
SELECT 'rebuilt' AS side, r.tenant_id, r.position, r::text AS content
FROM unnest($1::uuid[]) AS asked (tenant_id)
JOIN accounts AS a ON a.tenant_id = asked.tenant_id
JOIN journal_entries AS r
    ON r.tenant_id = a.tenant_id AND r.debit_account = a.account AND r.currency = a.currency
   AND r.position BETWEEN $2::bigint AND $3::bigint
UNION ALL
SELECT 'live', l.tenant_id, l.position, l::text
FROM unnest($1::uuid[]) AS asked (tenant_id)
JOIN live_accounts AS a ON a.tenant_id = asked.tenant_id
JOIN live_journal_entries AS l
    ON l.tenant_id = a.tenant_id AND l.debit_account = a.account AND l.currency = a.currency
   AND l.position BETWEEN $2::bigint AND $3::bigint
