-- How far each projection got. A checkpoint moves by compare-and-set in the transaction
-- that writes the rows, so every event takes effect exactly once.
-- Partition -1 is the log in PostgreSQL itself, which a new projection reads first:
-- its next_offset is the next position, and topic_id says whether that is still going on.
CREATE TABLE projection_checkpoints (
    projection  text COLLATE "C" NOT NULL,
    partition   integer NOT NULL CHECK (partition >= -1),
    topic_id    text COLLATE "C" NOT NULL,
    next_offset bigint NOT NULL CHECK (next_offset >= 0),
    position    bigint NOT NULL CHECK (position >= 0),
    hash        bytea CHECK (octet_length(hash) = 32),
    updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (projection, partition)
);
COMMENT ON COLUMN projection_checkpoints.position IS
    'the newest event folded from this partition; its hash shows whether the log is still the same';
