-- The session is paid, if it is open. :session_id, :payment_id
UPDATE sessions SET status = 'paid', payment_id = :payment_id
WHERE session_id = :session_id AND status = 'open'
