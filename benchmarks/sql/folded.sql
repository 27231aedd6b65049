-- How far a projection got in each partition. $1 text projection
SELECT partition, next_offset FROM projection_checkpoints WHERE projection = $1 AND partition >= 0
