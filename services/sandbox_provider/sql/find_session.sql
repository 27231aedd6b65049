-- One session. :session_id
SELECT session_id, topup_id, amount, currency, merchant, description, return_url, callback_url,
       expires_at, status, payment_id
FROM sessions
WHERE session_id = :session_id
