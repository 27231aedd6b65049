-- A wallet's declined transactions of one type, newest first; with the newest version that the
-- log has and the version up to which the history is complete, all in one snapshot. No row: the
-- tenant has no such wallet. A wallet without such transactions is one row whose transaction is
-- null. What was declined was never reversed.
-- $1 uuid tenant  $2 uuid wallet  $3 bigint only versions below this  $4 bigint at most
-- $5 text type
WITH asked AS (
    SELECT newest.version AS newest, coalesce(progress.version, 0) AS complete_to
    FROM (SELECT events.version
          FROM events
          WHERE events.tenant_id = $1::uuid AND events.stream_id = $2::uuid
            AND events.stream_id <> events.tenant_id
          ORDER BY events.version DESC
          LIMIT 1) AS newest
    LEFT JOIN transaction_progress AS progress
        ON progress.tenant_id = $1::uuid AND progress.wallet_id = $2::uuid
)
SELECT asked.newest, asked.complete_to, t.event_id, t.version, t.type, t.kind, t.status, t.amount,
       t.balance_before, t.balance_after, t.available_balance, t.currency, t.reference,
       t.description, t.code, t.created_at, t.expires_at, t.hold_id, t.held_after, t.transfer_id,
       t.other_wallet_id, t.reverses, t.topup_id, t.payment_id, t.metadata,
       0::bigint AS reversed_amount
FROM asked
LEFT JOIN LATERAL (
    SELECT transactions.*
    FROM transactions
    WHERE transactions.tenant_id = $1::uuid AND transactions.wallet_id = $2::uuid
      AND transactions.version < $3::bigint
      AND transactions.status = 'failed'
      AND transactions.type = $5::text
    ORDER BY transactions.version DESC
    LIMIT $4::bigint
) AS t ON true
ORDER BY t.version DESC
