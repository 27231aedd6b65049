-- New lines of history. arrays, one element a transaction: $1 uuid tenant, $2 uuid wallet,
--   $3 text status, $4 bigint version, $5 uuid event, $6 bigint position, $7 text type,
--   $8 text kind, $9 bigint amount, $10 bigint balance before, $11 bigint balance after,
--   $12 bigint available balance, $13 text currency, $14 text reference, $15 text description,
--   $16 text code, $17 timestamptz created, $18 json metadata
INSERT INTO transactions (tenant_id, wallet_id, status, version, event_id, position, type, kind,
                          amount, balance_before, balance_after, available_balance, currency,
                          reference, description, code, created_at, metadata)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::uuid[], $6::bigint[],
                     $7::text[], $8::text[], $9::bigint[], $10::bigint[], $11::bigint[],
                     $12::bigint[], $13::text[], $14::text[], $15::text[], $16::text[],
                     $17::timestamptz[], $18::json[])
