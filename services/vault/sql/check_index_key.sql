-- The check of the index key that is in use; this one is from now on, if there is none.
-- $1 the check
WITH adopted AS (
    INSERT INTO index_key (check_of) VALUES ($1) ON CONFLICT (one) DO NOTHING
    RETURNING check_of
)
SELECT check_of FROM adopted
UNION ALL
SELECT check_of FROM index_key
LIMIT 1
