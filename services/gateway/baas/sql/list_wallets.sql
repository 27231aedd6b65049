-- A page of a tenant's wallets in a currency, the newest first, and how many there are. There is
-- always a row; on a page without wallets its wallet is null. What the page skips is counted block
-- by block, and only the skipped wallets of one block are read. Tables are locked in the order in
-- which they are named, which must be the one in which a rebuild that takes over locks them:
-- `first_locked` is for that only.
-- $1 uuid tenant  $2 text currency  $3 bigint at most  $4 bigint skipped
WITH first_locked AS (
    SELECT FROM balances LIMIT 0
),
blocks AS (
    SELECT block, wallets, sum(wallets) OVER (ORDER BY block DESC)::bigint AS up_to
    FROM wallet_counts
    WHERE tenant_id = $1::uuid AND currency = $2::text
),
first AS (
    SELECT block, up_to - wallets AS before
    FROM blocks
    WHERE up_to > $4::bigint
    ORDER BY block DESC
    LIMIT 1
)
SELECT total.items AS total_items, page.wallet_id
FROM (SELECT coalesce(max(up_to), 0) AS items FROM blocks) AS total
LEFT JOIN (
    SELECT listed.wallet_id, listed.opened_position
    FROM first
    CROSS JOIN LATERAL (
        SELECT wallet_id, opened_position
        FROM balances
        WHERE tenant_id = $1::uuid AND opened_position > 0 AND currency = $2::text
          AND opened_position < (first.block + 1) * 16384
        ORDER BY opened_position DESC
        LIMIT $3::bigint OFFSET $4::bigint - first.before
    ) AS listed
) AS page ON true
ORDER BY page.opened_position DESC
