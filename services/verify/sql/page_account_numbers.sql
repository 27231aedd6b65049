-- A page of the account numbers, with the event that each names as its own, and what the wallet's
-- row in the read model has.
-- $1 uuid tenant and $2 bigint serial after which the page begins  $3 bigint at most
SELECT a.tenant_id, a.serial, a.bank_code, a.account_number, a.wallet_id, a.position,
       e.version AS allotted_version, b.version AS shown_version, b.bank_code AS shown_bank_code,
       b.account_number AS shown_number
FROM (SELECT tenant_id, serial, bank_code, account_number, wallet_id, position
      FROM account_numbers
      WHERE (tenant_id, serial) > ($1::uuid, $2::bigint)
      ORDER BY tenant_id, serial
      LIMIT $3::bigint) AS a
LEFT JOIN events AS e
    ON e.position = a.position AND e.tenant_id = a.tenant_id AND e.stream_id = a.wallet_id
LEFT JOIN balances AS b ON b.tenant_id = a.tenant_id AND b.wallet_id = a.wallet_id
ORDER BY a.tenant_id, a.serial
