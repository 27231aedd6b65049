-- The newest position at or below another at which a tenant has an entry; 0 if there is none.
-- Each entry is debited to one of its accounts. The LIMIT pins a plan: one look-up an account.
-- $1 uuid tenant  $2 bigint position
SELECT coalesce(max(newest.position), 0) AS position
FROM accounts AS a
CROSS JOIN LATERAL (
    SELECT e.position
    FROM journal_entries AS e
    WHERE e.tenant_id = a.tenant_id AND e.debit_account = a.account AND e.currency = a.currency
      AND e.position <= $2::bigint
    ORDER BY e.position DESC
    LIMIT 1
) AS newest
WHERE a.tenant_id = $1::uuid
