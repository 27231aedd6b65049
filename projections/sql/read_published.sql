-- How far the relay has published, in the newest generation of the topic.
SELECT generation, topic, topic_id, partition_count, published_position
FROM relay_progress
ORDER BY generation DESC
LIMIT 1
