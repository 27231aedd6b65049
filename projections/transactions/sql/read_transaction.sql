-- The transaction that a version of a wallet is, and how much of it is reversed, with the newest
-- version that the log has and the version up to which the history is complete, all in one
-- snapshot. No row: the tenant has no such wallet. Where there is no such transaction, or none
-- yet, it is null.
-- $1 uuid tenant  $2 uuid wallet  $3 bigint version
WITH asked AS (
    SELECT newest.version AS newest, coalesce(progress.version, 0) AS complete_to
    FROM (SELECT events.version
          FROM events
          WHERE events.tenant_id = $1::uuid AND events.stream_id = $2::uuid
          ORDER BY events.version DESC
          LIMIT 1) AS newest
    LEFT JOIN transaction_progress AS progress
        ON progress.tenant_id = $1::uuid AND progress.wallet_id = $2::uuid
)
SELECT asked.newest, asked.complete_to, t.event_id, t.version, t.type, t.kind, t.status, t.amount,
       t.balance_before, t.balance_after, t.available_balance, t.currency, t.reference,
       t.description, t.code, t.created_at, t.expires_at, t.hold_id, t.held_after, t.transfer_id,
       t.other_wallet_id, t.reverses, t.topup_id, t.payment_id, t.metadata,
       coalesce(reversal.reversed_after, 0) AS reversed_amount
FROM asked
LEFT JOIN transactions AS t
    ON t.tenant_id = $1::uuid AND t.wallet_id = $2::uuid
   AND t.status IN ('completed', 'failed') AND t.version = $3::bigint
LEFT JOIN LATERAL (
    SELECT transactions.reversed_after
    FROM transactions
    WHERE transactions.tenant_id = $1::uuid AND transactions.wallet_id = $2::uuid
      AND transactions.reverses = t.event_id AND transactions.reversed_after IS NOT NULL
    ORDER BY transactions.version DESC
    LIMIT 1
) AS reversal ON true
