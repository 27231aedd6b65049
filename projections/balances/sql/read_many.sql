-- Wallets as they stand, and the newest version that the log has of each. One statement, so
-- one snapshot: a row that is behind is seen to be behind. A wallet that the tenant does not
-- have is not returned. OFFSET 0 keeps it one look into the index a wallet, whatever the
-- planner believes of the table's size. `place` is where the wallet stands in the question, from 1.
-- arrays: $1 uuid tenants, $2 uuid wallets
SELECT asked.place, newest.version AS newest, b.customer_id, b.user_id, b.currency, b.balance,
       b.available_balance, b.status, b.frozen, b.expiring_amount, b.expiring_next_at,
       b.expiring_next_amount, b.created_at, b.updated_at, b.version, b.metadata, b.tier, b.review,
       b.bank_code, b.account_number, b.kyc_updated, b.is_erased, b.identity
FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS asked (tenant_id, wallet_id, place)
CROSS JOIN LATERAL (
    SELECT events.version
    FROM events
    WHERE events.tenant_id = asked.tenant_id AND events.stream_id = asked.wallet_id
      AND events.stream_id <> events.tenant_id
    ORDER BY events.version DESC
    LIMIT 1
) AS newest
LEFT JOIN LATERAL (
    SELECT balances.*
    FROM balances
    WHERE balances.tenant_id = asked.tenant_id AND balances.wallet_id = asked.wallet_id
    OFFSET 0
) AS b ON true
