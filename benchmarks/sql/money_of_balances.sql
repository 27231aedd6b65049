-- The money that the read model shows, in minor units. $1 uuid tenant
SELECT coalesce(sum(balance), 0)::bigint FROM balances WHERE tenant_id = $1::uuid
