-- How far each wallet's events are booked now.
-- arrays spelled as text, one element a wallet: $1 uuid tenant, $2 uuid wallet, $3 bigint version
INSERT INTO journal_progress AS known (tenant_id, wallet_id, version)
SELECT * FROM unnest($1::text::uuid[], $2::text::uuid[], $3::text::bigint[])
ON CONFLICT (tenant_id, wallet_id) DO UPDATE
SET version = excluded.version
WHERE known.version < excluded.version
