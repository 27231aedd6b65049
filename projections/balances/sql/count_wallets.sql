-- Count the wallets that are new. In the order of the keys, as every process does it.
-- arrays, one element a wallet: $1 uuid tenant, spelled as text, $2 bigint position of the
--   opening, $3 text currency
INSERT INTO wallet_counts AS known (tenant_id, block, currency, wallets)
SELECT tenant_id, opened_position / 16384 AS block, currency, count(*)
FROM unnest($1::text::uuid[], $2::bigint[], $3::text[])
     AS opened (tenant_id, opened_position, currency)
GROUP BY tenant_id, block, currency
ORDER BY tenant_id, block, currency
ON CONFLICT (tenant_id, block, currency) DO UPDATE
SET wallets = known.wallets + excluded.wallets
