-- For each event of a page: how far the wallet's history is complete, and its line there.
-- arrays, one element an event: $1 uuid tenant, $2 uuid wallet, $3 bigint version
SELECT asked.place, coalesce(progress.version, 0) AS complete_to, t.event_id, t.version, t.type,
       t.kind, t.status, t.amount, t.balance_before, t.balance_after, t.available_balance,
       t.currency, t.reference, t.description, t.code, t.created_at, t.expires_at, t.hold_id,
       t.held_after, t.transfer_id, t.other_wallet_id, t.reverses, t.reversed_after,
       t.topup_id, t.payment_id, t.metadata
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[])
     WITH ORDINALITY AS asked (tenant_id, wallet_id, version, place)
LEFT JOIN transaction_progress AS progress
    ON progress.tenant_id = asked.tenant_id AND progress.wallet_id = asked.wallet_id
LEFT JOIN transactions AS t
    ON t.tenant_id = asked.tenant_id AND t.wallet_id = asked.wallet_id
   AND t.status IN ('completed', 'failed') AND t.version = asked.version
