-- New wallets. arrays, one element a wallet: $1 uuid tenant, $2 uuid wallet, $3 bigint version,
--   $4 text customer, $5 uuid user, $6 text currency, $7 text status, $8 bigint balance,
--   $9 bigint available balance, $10 bigint position of the opening, $11 timestamptz created,
--   $12 timestamptz updated, $13 json metadata
INSERT INTO balances (tenant_id, wallet_id, version, customer_id, user_id, currency, status,
                      balance, available_balance, opened_position, created_at, updated_at,
                      metadata)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::uuid[], $6::text[],
                     $7::text[], $8::bigint[], $9::bigint[], $10::bigint[], $11::timestamptz[],
                     $12::timestamptz[], $13::json[])
