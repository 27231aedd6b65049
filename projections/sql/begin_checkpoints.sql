-- Make checkpoints where there are none; one that another process made first is not returned.
-- $1 text projection; arrays, one element a partition: $2 integer partition,
--   $3 text topic id, $4 bigint next offset, $5 bigint position, $6 bytea hash
INSERT INTO projection_checkpoints (projection, partition, topic_id, next_offset, position, hash)
SELECT $1::text, begun.*
FROM unnest($2::integer[], $3::text[], $4::bigint[], $5::bigint[], $6::bytea[]) AS begun
ON CONFLICT (projection, partition) DO NOTHING
RETURNING partition
