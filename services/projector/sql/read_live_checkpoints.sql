-- Where the live projection stands in the log and in each partition of the topic.
-- $1 text projection
SELECT partition, topic_id, position
FROM live_projection_checkpoints
WHERE projection = $1::text
