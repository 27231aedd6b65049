-- A top-up's session that is not cancelled. :topup_id
SELECT session_id, topup_id, amount, currency, merchant, description, return_url, callback_url,
       expires_at, status, payment_id
FROM sessions
WHERE topup_id = :topup_id AND status <> 'cancelled'
