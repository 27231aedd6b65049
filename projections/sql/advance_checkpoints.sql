-- Move checkpoints on, each only if it still stands where this process left it.
-- Comes first in its transaction: the row locks keep every other process of the projection
-- out of these partitions' wallets until the commit.
-- $1 text projection; arrays, one element a partition: $2 integer partition,
--   $3 text topic id as it stands, $4 bigint next offset as it stands,
--   $5 text new topic id, $6 bigint new next offset, $7 bigint new position, $8 bytea its hash
UPDATE projection_checkpoints AS checkpoint
SET topic_id = move.new_topic_id, next_offset = move.new_offset, position = move.new_position,
    hash = move.new_hash, updated_at = clock_timestamp()
FROM unnest($2::integer[], $3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::bigint[],
            $8::bytea[])
     AS move (partition, topic_id, next_offset, new_topic_id, new_offset, new_position, new_hash)
WHERE checkpoint.projection = $1::text
  AND checkpoint.partition = move.partition
  AND checkpoint.topic_id = move.topic_id
  AND checkpoint.next_offset = move.next_offset
RETURNING checkpoint.partition
