-- Nothing but an answer.
SELECT 1
