-- Who is known by this blind index. $1 uuid tenant  $2 bytea index
SELECT user_id
FROM customers
WHERE tenant_id = $1::uuid AND identity_index = $2::bytea
