-- Every generation of the topic, the newest first, with the hash that the log has where each got.
SELECT relay.generation, relay.topic, relay.topic_id, relay.partition_count,
       relay.published_position, relay.published_hash, events.hash AS log_hash, relay.is_filling
FROM relay_progress AS relay
LEFT JOIN events ON events.position = relay.published_position
ORDER BY relay.generation DESC
