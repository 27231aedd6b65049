-- One more decline of an open session, if it had fewer than :limit. :session_id
UPDATE sessions SET declines = declines + 1
WHERE session_id = :session_id AND status = 'open' AND declines < :limit
