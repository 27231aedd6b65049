-- New wallets. arrays, one element a wallet, * spelled as text: $1* uuid tenant, $2* uuid
--   wallet, $3 bigint version, $4 text customer, $5 uuid user, $6 text currency, $7 text status,
--   $8 text what a freeze has stopped, $9 bigint balance, $10 bigint available balance, $11
--   bigint what of it lapses, $12 timestamptz when next, $13 bigint how much then, $14 bigint
--   position of the opening, $15 timestamptz created, $16 timestamptz updated, $17 json metadata
INSERT INTO balances (tenant_id, wallet_id, version, customer_id, user_id, currency, status,
                      frozen, balance, available_balance, expiring_amount, expiring_next_at,
                      expiring_next_amount, opened_position, created_at, updated_at, metadata)
SELECT * FROM unnest($1::text::uuid[], $2::text::uuid[], $3::bigint[], $4::text[], $5::uuid[],
                     $6::text[], $7::text[], $8::text[], $9::bigint[], $10::bigint[], $11::bigint[],
                     $12::timestamptz[], $13::bigint[], $14::bigint[], $15::timestamptz[],
                     $16::timestamptz[], $17::json[])
