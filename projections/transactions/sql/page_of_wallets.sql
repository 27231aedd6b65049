-- A page of the transactions of some wallets together, completed and declined, the newest first;
-- with each wallet how far the log is and how far its history is complete, and how many lines it
-- has, all in one snapshot. Each wallet is there, and where the page has nothing of it, its
-- transaction is null. A wallet that the tenant does not have is left out.
-- $1 uuid tenant  $2 uuid array: wallets  $3 bigint at most  $4 bigint skipped
WITH asked AS (
    SELECT asked.wallet_id, newest.version AS newest, coalesce(progress.version, 0) AS complete_to,
           coalesce(progress.lines, 0) AS lines
    FROM unnest($2::uuid[]) AS asked (wallet_id)
    CROSS JOIN LATERAL (
        SELECT events.version
        FROM events
        WHERE events.tenant_id = $1::uuid AND events.stream_id = asked.wallet_id
          AND events.stream_id <> events.tenant_id
        ORDER BY events.version DESC
        LIMIT 1
    ) AS newest
    LEFT JOIN transaction_progress AS progress
        ON progress.tenant_id = $1::uuid AND progress.wallet_id = asked.wallet_id
),
page AS (
    SELECT line.*
    FROM asked
    CROSS JOIN (VALUES ('completed'), ('failed')) AS kind (status)
    CROSS JOIN LATERAL (
        SELECT transactions.*
        FROM transactions
        WHERE transactions.tenant_id = $1::uuid AND transactions.wallet_id = asked.wallet_id
          AND transactions.status = kind.status
        ORDER BY transactions.version DESC
        LIMIT $3::bigint + $4::bigint
    ) AS line
    -- So that a page behind the end does not read the whole history.
    WHERE $4::bigint < (SELECT sum(asked.lines) FROM asked)
    ORDER BY line.position DESC
    LIMIT $3::bigint OFFSET $4::bigint
)
SELECT asked.wallet_id, asked.newest, asked.complete_to, asked.lines, t.event_id, t.version,
       t.type, t.kind, t.status, t.amount, t.balance_before, t.balance_after, t.available_balance,
       t.currency, t.reference, t.description, t.code, t.created_at, t.expires_at, t.hold_id,
       t.held_after, t.transfer_id, t.other_wallet_id, t.reverses, t.topup_id, t.payment_id,
       t.metadata
FROM asked
LEFT JOIN page AS t ON t.wallet_id = asked.wallet_id
ORDER BY t.position DESC
