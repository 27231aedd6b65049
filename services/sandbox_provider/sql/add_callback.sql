-- A callback that is to be sent at :due_at, and again until it is settled.
INSERT INTO callbacks (session_id, url, body, forged_attempts, created_at, due_at)
VALUES (:session_id, :url, :body, :forged_attempts, :created_at, :due_at)
