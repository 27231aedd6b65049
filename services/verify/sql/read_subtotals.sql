-- Every account's subtotals of one block, and what its entries there add up to.
-- $1 bigint block
SELECT a.tenant_id, a.account, a.currency, s.debits, s.credits, s.entry_count,
       debited.amount AS debited, credited.amount AS credited,
       debited.entry_count + credited.entry_count AS found_count
FROM accounts AS a
LEFT JOIN account_subtotals AS s
    ON s.tenant_id = a.tenant_id AND s.account = a.account AND s.currency = a.currency
   AND s.block = $1::bigint
CROSS JOIN LATERAL (
    SELECT coalesce(sum(e.amount), 0) AS amount, count(*) AS entry_count
    FROM journal_entries AS e
    WHERE e.tenant_id = a.tenant_id AND e.debit_account = a.account AND e.currency = a.currency
      AND e.position >= $1::bigint * 16384 AND e.position < ($1::bigint + 1) * 16384
) AS debited
CROSS JOIN LATERAL (
    SELECT coalesce(sum(e.amount), 0) AS amount, count(*) AS entry_count
    FROM journal_entries AS e
    WHERE e.tenant_id = a.tenant_id AND e.credit_account = a.account AND e.currency = a.currency
      AND e.position >= $1::bigint * 16384 AND e.position < ($1::bigint + 1) * 16384
) AS credited
