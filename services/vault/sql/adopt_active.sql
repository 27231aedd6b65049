-- Make a master key the active one if none is yet. $1 its id
INSERT INTO active_master_key (master_key_id) VALUES ($1) ON CONFLICT (one) DO NOTHING
