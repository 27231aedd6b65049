-- The accounts as of a position, which the journal must be complete to: for each, the subtotals
-- of the blocks before it, and the entries of one block. Those that have entries by then.
-- $1 uuid tenant, or null for all  $2 bigint position  $3 text account, or null for all
-- $4 text currency, or null for all
WITH asked AS (
    SELECT ($2::bigint + 1) / 16384 AS block, ($2::bigint + 1) / 16384 * 16384 AS first_position
)
SELECT a.tenant_id, a.account, a.currency,
       before.debits + debited.amount AS debits, before.credits + credited.amount AS credits,
       before.entry_count + debited.entry_count + credited.entry_count AS entry_count
FROM asked
CROSS JOIN accounts AS a
CROSS JOIN LATERAL (
    SELECT coalesce(sum(s.debits), 0) AS debits, coalesce(sum(s.credits), 0) AS credits,
           coalesce(sum(s.entry_count), 0)::bigint AS entry_count
    FROM account_subtotals AS s
    WHERE s.tenant_id = a.tenant_id AND s.account = a.account AND s.currency = a.currency
      AND s.block < asked.block
) AS before
CROSS JOIN LATERAL (
    SELECT coalesce(sum(e.amount), 0) AS amount, count(*) AS entry_count
    FROM journal_entries AS e
    WHERE e.tenant_id = a.tenant_id AND e.debit_account = a.account AND e.currency = a.currency
      AND e.position >= asked.first_position AND e.position <= $2::bigint
) AS debited
CROSS JOIN LATERAL (
    SELECT coalesce(sum(e.amount), 0) AS amount, count(*) AS entry_count
    FROM journal_entries AS e
    WHERE e.tenant_id = a.tenant_id AND e.credit_account = a.account AND e.currency = a.currency
      AND e.position >= asked.first_position AND e.position <= $2::bigint
) AS credited
WHERE ($1::uuid IS NULL OR a.tenant_id = $1::uuid)
  AND ($3::text IS NULL OR a.account = $3::text)
  AND ($4::text IS NULL OR a.currency = $4::text)
  AND before.entry_count + debited.entry_count + credited.entry_count > 0
ORDER BY a.tenant_id, a.currency, a.account
