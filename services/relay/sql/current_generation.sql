-- The generation of the topic that everybody goes by; none before a relay has ever led.
SELECT max(generation) FROM relay_progress WHERE NOT is_filling
