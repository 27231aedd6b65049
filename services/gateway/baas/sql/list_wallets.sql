-- A page of a tenant's wallets in a currency, the newest first, and how many there are. There is
-- always a row; on a page without wallets its wallet is null.
-- $1 uuid tenant  $2 text currency  $3 bigint at most  $4 bigint skipped
SELECT total.items AS total_items, page.wallet_id
FROM (SELECT count(*) AS items
      FROM balances
      WHERE tenant_id = $1::uuid AND opened_position > 0 AND currency = $2::text) AS total
LEFT JOIN (
    SELECT wallet_id, opened_position
    FROM balances
    WHERE tenant_id = $1::uuid AND opened_position > 0 AND currency = $2::text
    ORDER BY opened_position DESC
    LIMIT $3::bigint OFFSET $4::bigint
) AS page ON true
ORDER BY page.opened_position DESC
