-- Forget a generation that was being filled; its topic stays. $1 integer generation
DELETE FROM relay_progress WHERE generation = $1::integer AND is_filling
