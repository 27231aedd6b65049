-- Nothing more is sent. :callback_id, :settled_at, :outcome: delivered, or given_up
UPDATE callbacks SET settled_at = :settled_at, outcome = :outcome
WHERE callback_id = :callback_id
