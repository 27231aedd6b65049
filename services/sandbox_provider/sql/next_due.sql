-- When the next callback is due, and how many wait.
SELECT min(due_at), count(*) FROM callbacks WHERE settled_at IS NULL
