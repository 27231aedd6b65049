-- An attempt begins; if nothing is heard of it, the next is at :due_at. :callback_id
UPDATE callbacks SET attempts = attempts + 1, due_at = :due_at
WHERE callback_id = :callback_id
