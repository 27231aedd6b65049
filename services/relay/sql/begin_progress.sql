-- Bind a generation to a topic, before anything is published to it.
-- $1 integer generation  $2 text topic  $3 text topic id  $4 integer partition count
-- $5 boolean whether it is filled beside the one that everybody goes by
INSERT INTO relay_progress (generation, topic, topic_id, partition_count,
                            published_position, published_hash, updated_at,
                            is_filling)
VALUES ($1::integer, $2::text, $3::text, $4::integer, 0, NULL, clock_timestamp(),
        $5::boolean)
