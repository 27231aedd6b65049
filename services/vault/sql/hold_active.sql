-- The same, held: it stays the active one until this transaction ends.
SELECT master_key_id FROM active_master_key FOR SHARE
