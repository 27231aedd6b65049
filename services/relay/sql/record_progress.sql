-- Move the published position on from where this relay left it; nothing if it is elsewhere,
-- or if a newer generation has taken over.
-- $1 integer generation  $2 bigint position where it is
-- $3 bigint new position  $4 bytea hash of the event there
UPDATE relay_progress
SET published_position = $3::bigint, published_hash = $4::bytea, updated_at = clock_timestamp()
WHERE generation = $1::integer AND published_position = $2::bigint
  AND NOT EXISTS (SELECT FROM relay_progress AS newer
                  WHERE newer.generation > $1::integer AND NOT newer.is_filling)
RETURNING published_position
