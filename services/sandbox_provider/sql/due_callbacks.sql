-- The callbacks that are due at :now, the first :limit.
SELECT callback_id, url, body, forged_attempts, attempts
FROM callbacks
WHERE settled_at IS NULL AND due_at <= :now
ORDER BY due_at
LIMIT :limit
