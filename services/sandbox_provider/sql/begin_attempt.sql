-- An attempt begins at :now; if nothing is heard of it, the next is at :due_at. :callback_id
UPDATE callbacks
SET attempts = attempts + 1, due_at = :due_at, first_attempt_at = coalesce(first_attempt_at, :now)
WHERE callback_id = :callback_id
RETURNING first_attempt_at
