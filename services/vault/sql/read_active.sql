-- The id of the active master key; no row before the first key.
SELECT master_key_id FROM active_master_key
