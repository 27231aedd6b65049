-- What was allotted under each number. arrays: $1 uuid tenants, $2 text account numbers
SELECT asked.place, a.wallet_id, a.bank_code, a.position
FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS asked (tenant_id, account_number, place)
LEFT JOIN account_numbers AS a
    ON a.tenant_id = asked.tenant_id AND a.account_number = asked.account_number
