-- For each event of a page: how far its wallet is booked, and the entry at its position. An
-- entry is found by its accounts, so each of the tenant's is asked for it.
-- arrays, one element an event: $1 uuid tenant, $2 uuid wallet, $3 bigint position
SELECT asked.place, coalesce(progress.version, 0) AS complete_to, entry.debit_account,
       entry.credit_account, entry.currency, entry.amount
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[])
     WITH ORDINALITY AS asked (tenant_id, wallet_id, position, place)
LEFT JOIN journal_progress AS progress
    ON progress.tenant_id = asked.tenant_id AND progress.wallet_id = asked.wallet_id
LEFT JOIN LATERAL (
    SELECT j.debit_account, j.credit_account, j.currency, j.amount
    FROM accounts AS a
    JOIN journal_entries AS j
        ON j.tenant_id = a.tenant_id AND j.debit_account = a.account
       AND j.currency = a.currency AND j.position = asked.position
    WHERE a.tenant_id = asked.tenant_id
) AS entry ON true
