-- Forget the partitions of a projection, so that it reads the log again from where the
-- furthest behind of them was. $1 text projection
DELETE FROM projection_checkpoints
WHERE projection = $1::text AND partition >= 0
RETURNING partition, position
