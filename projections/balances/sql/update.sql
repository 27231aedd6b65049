-- Known wallets, each only from the version and the balance that the new ones follow.
-- arrays spelled as text, one element a wallet: $1 uuid tenant, $2 uuid wallet, $3 bigint version
--   before, $4 bigint balance before, $5 bigint version, $6 text status, $7 text what a freeze
--   has stopped, $8 bigint balance, $9 bigint available balance, $10 bigint what of it lapses,
--   $11 timestamptz when next, $12 bigint how much then, $13 timestamptz updated
UPDATE balances
SET version = news.version, status = news.status, frozen = news.frozen, balance = news.balance,
    available_balance = news.available_balance, expiring_amount = news.expiring_amount,
    expiring_next_at = news.expiring_next_at, expiring_next_amount = news.expiring_next_amount,
    updated_at = news.updated_at
FROM unnest($1::text::uuid[], $2::text::uuid[], $3::text::bigint[], $4::text::bigint[],
            $5::text::bigint[], $6::text::text[], $7::text::text[], $8::text::bigint[],
            $9::text::bigint[], $10::text::bigint[], $11::text::timestamptz[],
            $12::text::bigint[], $13::text::timestamptz[])
     AS news (tenant_id, wallet_id, version_before, balance_before, version, status, frozen,
              balance, available_balance, expiring_amount, expiring_next_at,
              expiring_next_amount, updated_at)
WHERE balances.tenant_id = news.tenant_id
  AND balances.wallet_id = news.wallet_id
  AND balances.version = news.version_before
  AND balances.balance = news.balance_before
