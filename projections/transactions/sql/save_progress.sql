-- How far each wallet's history is complete now, and how many lines it has gained.
-- arrays spelled as text, one element a wallet: $1 uuid tenant, $2 uuid wallet, $3 bigint
--   version, $4 bigint lines
INSERT INTO transaction_progress AS known (tenant_id, wallet_id, version, lines)
SELECT * FROM unnest($1::text::uuid[], $2::text::uuid[], $3::text::bigint[],
                     $4::text::bigint[])
ON CONFLICT (tenant_id, wallet_id) DO UPDATE
SET version = excluded.version, lines = known.lines + excluded.lines
WHERE known.version < excluded.version
