-- Every event up to this position is booked. It never goes back, and an idle moment writes
-- nothing. $1 bigint position
INSERT INTO journal_completeness AS known (position)
VALUES ($1::bigint)
ON CONFLICT (is_only) DO UPDATE
SET position = excluded.position
WHERE known.position < excluded.position
