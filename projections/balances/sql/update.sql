-- Known wallets, each only from the version that was read.
-- arrays, one element a wallet: $1 uuid tenant, $2 uuid wallet, $3 bigint version that was read,
--   $4 bigint version, $5 text status, $6 text what a freeze has stopped, $7 bigint balance,
--   $8 bigint available balance, $9 bigint what of it lapses, $10 timestamptz when next,
--   $11 bigint how much then, $12 timestamptz updated
UPDATE balances
SET version = news.version, status = news.status, frozen = news.frozen, balance = news.balance,
    available_balance = news.available_balance, expiring_amount = news.expiring_amount,
    expiring_next_at = news.expiring_next_at, expiring_next_amount = news.expiring_next_amount,
    updated_at = news.updated_at
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[], $6::text[],
            $7::bigint[], $8::bigint[], $9::bigint[], $10::timestamptz[], $11::bigint[],
            $12::timestamptz[])
     AS news (tenant_id, wallet_id, version_read, version, status, frozen, balance,
              available_balance, expiring_amount, expiring_next_at, expiring_next_amount,
              updated_at)
WHERE balances.tenant_id = news.tenant_id
  AND balances.wallet_id = news.wallet_id
  AND balances.version = news.version_read
