-- The session is cancelled, if it is open. :session_id
UPDATE sessions SET status = 'cancelled'
WHERE session_id = :session_id AND status = 'open'
