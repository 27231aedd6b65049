-- How far a topic generation is published, and what the log itself has there: another hash,
-- or none, is another log. $1 integer generation
SELECT progress.topic,
       progress.topic_id,
       progress.partition_count,
       progress.published_position,
       progress.published_hash,
       events.hash AS log_hash
FROM relay_progress AS progress
LEFT JOIN events ON events.position = progress.published_position
WHERE progress.generation = $1::integer
