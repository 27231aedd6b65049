-- Let everybody go by a generation that was being filled. $1 integer generation
UPDATE relay_progress SET is_filling = false, updated_at = clock_timestamp()
WHERE generation = $1::integer AND is_filling
RETURNING published_position
