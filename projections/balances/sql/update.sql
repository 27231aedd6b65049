-- Known wallets, each only from the version that was read.
-- arrays, one element a wallet: $1 uuid tenant, $2 uuid wallet, $3 bigint version that was read,
--   $4 bigint version, $5 text status, $6 bigint balance, $7 bigint available balance,
--   $8 timestamptz updated
UPDATE balances
SET version = news.version, status = news.status, balance = news.balance,
    available_balance = news.available_balance, updated_at = news.updated_at
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[],
            $7::bigint[], $8::timestamptz[])
     AS news (tenant_id, wallet_id, version_read, version, status, balance, available_balance,
              updated_at)
WHERE balances.tenant_id = news.tenant_id
  AND balances.wallet_id = news.wallet_id
  AND balances.version = news.version_read
