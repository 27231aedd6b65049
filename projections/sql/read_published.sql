-- How far the relay has published, in the generation of the topic that everybody goes by.
SELECT generation, topic, topic_id, partition_count, published_position, published_hash
FROM relay_progress
WHERE NOT is_filling
ORDER BY generation DESC
LIMIT 1
