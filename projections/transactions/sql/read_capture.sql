-- The newest capture of a hold under a reference, with the newest version that the log has of its wallet and the
-- version up to which the history is complete, all in one snapshot. No row: the tenant has no such
-- wallet. Where there is no capture, or none yet, it is null.
-- $1 uuid tenant  $2 uuid wallet  $3 uuid hold  $4 text reference
SELECT newest.version AS newest, coalesce(progress.version, 0) AS complete_to, t.event_id,
       t.version, t.type, t.kind, t.status, t.amount, t.balance_before, t.balance_after,
       t.available_balance, t.currency, t.reference, t.description, t.code, t.created_at,
       t.expires_at, t.hold_id, t.held_after, t.transfer_id, t.other_wallet_id, t.reverses,
       t.topup_id, t.payment_id, t.metadata, 0 AS reversed_amount
FROM (SELECT events.version
      FROM events
      WHERE events.tenant_id = $1::uuid AND events.stream_id = $2::uuid
      ORDER BY events.version DESC
      LIMIT 1) AS newest
LEFT JOIN transaction_progress AS progress
    ON progress.tenant_id = $1::uuid AND progress.wallet_id = $2::uuid
LEFT JOIN LATERAL (
    SELECT transactions.*
    FROM transactions
    WHERE transactions.tenant_id = $1::uuid AND transactions.wallet_id = $2::uuid
      AND transactions.hold_id = $3::uuid AND transactions.status = 'completed'
      AND transactions.reference = $4::text
    ORDER BY transactions.version DESC
    LIMIT 1
) AS t ON true
