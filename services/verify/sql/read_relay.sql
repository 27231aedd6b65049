-- What the relay says it has published, in the generation that everybody goes by, and what the log has there.
SELECT relay.topic, relay.topic_id, relay.partition_count, relay.published_position,
       relay.published_hash, events.hash AS log_hash
FROM relay_progress AS relay
LEFT JOIN events ON events.position = relay.published_position
WHERE NOT relay.is_filling
ORDER BY relay.generation DESC
LIMIT 1
