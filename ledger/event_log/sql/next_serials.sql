-- The serial of each tenant's next account number. $1 uuid[] tenants
SELECT asked.tenant_id,
       coalesce((SELECT a.serial + 1 FROM account_numbers a
                 WHERE a.tenant_id = asked.tenant_id
                 ORDER BY a.serial DESC LIMIT 1), 0) AS next_serial
FROM unnest($1::uuid[]) AS asked (tenant_id)
