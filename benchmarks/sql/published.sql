-- How far the relay has published, as far as it is recorded.
SELECT published_position FROM relay_progress ORDER BY generation DESC LIMIT 1
