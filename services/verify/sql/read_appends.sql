-- A page of the chain of appends. $1 bigint after this number  $2 bigint up to and with this one
SELECT number, last_position, hash, recorded_at
FROM appends
WHERE number > $1::bigint AND number <= $2::bigint
ORDER BY number
