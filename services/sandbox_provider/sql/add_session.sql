-- A new session, unless the top-up has one that is not cancelled.
INSERT INTO sessions (session_id, topup_id, amount, currency, merchant, description,
                      return_url, callback_url, expires_at, status, created_at)
VALUES (:session_id, :topup_id, :amount, :currency, :merchant, :description,
        :return_url, :callback_url, :expires_at, 'open', :created_at)
ON CONFLICT DO NOTHING
