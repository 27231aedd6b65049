-- A customer's wallets, newest first, resolved by the index that the append itself wrote; each
-- with the newest version that the log has of it, so that a row that is behind is seen to be.
-- $1 uuid tenant  $2 bigint only those opened before this position  $3 bigint at most
-- $4 text customer  $5 text currency, or null for all
SELECT w.wallet_id, w.position AS opened_position, newest.version AS newest, b.customer_id,
       b.user_id, b.currency, b.balance, b.available_balance, b.status, b.frozen,
       b.expiring_amount, b.expiring_next_at, b.expiring_next_amount, b.created_at,
       b.updated_at, b.version, b.metadata, b.tier, b.review,
       b.bank_code, b.account_number, b.kyc_updated, b.is_erased, b.identity
FROM wallets AS w
CROSS JOIN LATERAL (
    SELECT events.version
    FROM events
    WHERE events.tenant_id = w.tenant_id AND events.stream_id = w.wallet_id
    ORDER BY events.version DESC
    LIMIT 1
) AS newest
LEFT JOIN balances AS b ON b.tenant_id = w.tenant_id AND b.wallet_id = w.wallet_id
WHERE w.tenant_id = $1::uuid
  AND w.position < $2::bigint
  AND w.customer_id = $4::text
  AND ($5::text IS NULL OR w.currency = $5::text)
ORDER BY w.position DESC
LIMIT $3::bigint
