-- The entries of some tenants at a range of positions. An entry is found by its accounts: each is
-- asked once for the whole range.
-- $1 uuid[] tenants  $2 bigint first position  $3 bigint last position
SELECT j.tenant_id, j.position, j.debit_account, j.credit_account, j.currency, j.amount
FROM unnest($1::uuid[]) AS asked (tenant_id)
JOIN accounts AS a ON a.tenant_id = asked.tenant_id
JOIN journal_entries AS j
    ON j.tenant_id = a.tenant_id AND j.debit_account = a.account AND j.currency = a.currency
   AND j.position BETWEEN $2::bigint AND $3::bigint
