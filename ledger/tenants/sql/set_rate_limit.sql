-- $1 key_id text, $2 per_s int, $3 burst int (both null: as every credential): what a credential
-- may ask for from now on.
UPDATE credentials
SET rate_limit_per_s = $2, rate_limit_burst = $3
WHERE key_id = $1
RETURNING key_id
