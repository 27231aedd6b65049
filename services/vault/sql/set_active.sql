-- Make a master key the active one; waits for who is storing a key under the old one. $1 its id
INSERT INTO active_master_key (master_key_id) VALUES ($1)
ON CONFLICT (one) DO UPDATE SET master_key_id = EXCLUDED.master_key_id
