-- How far each wallet's events are booked now.
-- arrays, one element a wallet: $1 uuid tenant, $2 uuid wallet, $3 bigint version
INSERT INTO journal_progress AS known (tenant_id, wallet_id, version)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[])
ON CONFLICT (tenant_id, wallet_id) DO UPDATE
SET version = excluded.version
WHERE known.version < excluded.version
