-- Move checkpoints on, each only if it still stands where this process left it.
-- Comes first in its transaction: the row locks keep every other process of the projection
-- out of these partitions' wallets until the commit.
-- $1 text projection; arrays, one element a partition: $2 integer partition,
--   $3 text topic id as it stands, $4 bigint next offset as it stands, $5 bigint rebuilds as they
--   stand,
--   $6 text new topic id, $7 bigint new next offset, $8 bigint new position, $9 bytea its hash
UPDATE projection_checkpoints AS checkpoint
SET topic_id = move.new_topic_id, next_offset = move.new_offset, position = move.new_position,
    hash = move.new_hash, updated_at = clock_timestamp()
FROM unnest($2::integer[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[],
            $8::bigint[], $9::bytea[])
     AS move (partition, topic_id, next_offset, rebuilds, new_topic_id, new_offset,
              new_position, new_hash)
WHERE checkpoint.projection = $1::text
  AND checkpoint.partition = move.partition
  AND checkpoint.topic_id = move.topic_id
  AND checkpoint.next_offset = move.next_offset
  AND checkpoint.rebuilds = move.rebuilds
RETURNING checkpoint.partition
