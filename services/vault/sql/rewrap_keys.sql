-- Put keys wrapped anew in the place of those that were read; not where one was destroyed.
-- $1 tenants, $2 user ids, $3 what was read, $4 ids of the master keys, $5 what is wrapped now
UPDATE customer_keys AS k
SET master_key_id = asked.master_key_id, wrapped_key = asked.wrapped_key
FROM unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::text[], $5::bytea[])
    AS asked (tenant_id, user_id, was, master_key_id, wrapped_key)
WHERE k.tenant_id = asked.tenant_id AND k.user_id = asked.user_id AND k.wrapped_key = asked.was
