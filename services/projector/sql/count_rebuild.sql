-- Make void what the live projection knows of its tables. $1 text projection
UPDATE live_projection_checkpoints
SET rebuilds = rebuilds + 1, updated_at = clock_timestamp()
WHERE projection = $1::text
