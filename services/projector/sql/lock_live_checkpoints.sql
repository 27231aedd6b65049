-- Keep the live projection from its next batch. $1 text projection
SELECT partition
FROM live_projection_checkpoints
WHERE projection = $1::text
ORDER BY partition
FOR UPDATE
