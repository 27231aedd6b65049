-- For each account: what it shows, what its subtotals add up to, and of the blocks from one on
-- what the subtotals and the entries add up to. All in one snapshot.
-- $1 bigint block
SELECT a.tenant_id, a.account, a.currency,
       (a.debits, a.credits, a.entry_count) = (whole.debits, whole.credits, whole.entry_count)
           AS is_sum,
       (newest.debits, newest.credits, newest.entry_count)
           = (debited.amount, credited.amount, debited.entry_count + credited.entry_count)
           AS is_booked,
       a::text AS shown, whole::text AS added_up
FROM accounts AS a
CROSS JOIN LATERAL (
    SELECT coalesce(sum(s.debits), 0) AS debits, coalesce(sum(s.credits), 0) AS credits,
           coalesce(sum(s.entry_count), 0)::bigint AS entry_count
    FROM account_subtotals AS s
    WHERE s.tenant_id = a.tenant_id AND s.account = a.account AND s.currency = a.currency
) AS whole
CROSS JOIN LATERAL (
    SELECT coalesce(sum(s.debits), 0) AS debits, coalesce(sum(s.credits), 0) AS credits,
           coalesce(sum(s.entry_count), 0)::bigint AS entry_count
    FROM account_subtotals AS s
    WHERE s.tenant_id = a.tenant_id AND s.account = a.account AND s.currency = a.currency
      AND s.block >= $1::bigint
) AS newest
CROSS JOIN LATERAL (
    SELECT coalesce(sum(e.amount), 0) AS amount, count(*) AS entry_count
    FROM journal_entries AS e
    WHERE e.tenant_id = a.tenant_id AND e.debit_account = a.account AND e.currency = a.currency
      AND e.position >= $1::bigint * 16384
) AS debited
CROSS JOIN LATERAL (
    SELECT coalesce(sum(e.amount), 0) AS amount, count(*) AS entry_count
    FROM journal_entries AS e
    WHERE e.tenant_id = a.tenant_id AND e.credit_account = a.account AND e.currency = a.currency
      AND e.position >= $1::bigint * 16384
) AS credited
