-- The attempt has failed; the next is at :due_at. :callback_id
UPDATE callbacks SET due_at = :due_at
WHERE callback_id = :callback_id AND settled_at IS NULL
