-- Checkpoints whose event the log does not have, or has with another hash.
-- $1 text projection
SELECT checkpoint.partition, checkpoint.position
FROM projection_checkpoints AS checkpoint
LEFT JOIN events ON events.position = checkpoint.position
WHERE checkpoint.projection = $1::text
  AND checkpoint.hash IS NOT NULL
  AND checkpoint.hash IS DISTINCT FROM events.hash
