-- How many keys each master key wraps.
SELECT master_key_id, count(*) AS keys
FROM customer_keys
WHERE master_key_id IS NOT NULL
GROUP BY master_key_id
ORDER BY master_key_id
