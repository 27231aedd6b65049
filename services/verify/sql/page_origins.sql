-- A page of the origins on merchants' lists.
-- $1 uuid merchant and $2 text origin after which the page begins  $3 bigint at most
SELECT merchant_id, origin, created_at
FROM redirect_origins
WHERE (merchant_id, origin) > ($1::uuid, $2::text COLLATE "C")
ORDER BY merchant_id, origin
LIMIT $3::bigint
