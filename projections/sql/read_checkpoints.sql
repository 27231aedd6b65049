-- Every checkpoint of a projection. $1 text projection
SELECT partition, topic_id, next_offset, position, hash, rebuilds
FROM projection_checkpoints
WHERE projection = $1::text
ORDER BY partition
