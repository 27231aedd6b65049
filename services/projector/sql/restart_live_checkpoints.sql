-- Let the live projection begin again from the log, behind a position; the topic's partitions
-- get new checkpoints when it goes over to the topic. Parts of one statement cannot touch a
-- row twice, so the log's own checkpoint is changed and only the others are deleted.
-- $1 text projection  $2 text topic id that stands for the open log  $3 bigint position
-- $4 bytea hash of the event there
WITH forgotten AS (
    DELETE FROM live_projection_checkpoints WHERE projection = $1::text AND partition >= 0
)
INSERT INTO live_projection_checkpoints (projection, partition, topic_id, next_offset, position,
                                         hash, updated_at)
VALUES ($1::text, -1, $2::text, $3::bigint + 1, $3::bigint, $4::bytea, clock_timestamp())
ON CONFLICT (projection, partition) DO UPDATE
SET topic_id = excluded.topic_id, next_offset = excluded.next_offset,
    position = excluded.position, hash = excluded.hash, updated_at = excluded.updated_at
