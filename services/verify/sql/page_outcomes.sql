-- A page of what command ids have frozen; of an outcome that is kept, its position, and what it
-- shows of a wallet.
-- $1 uuid tenant and $2 text command id after which the page begins  $3 bigint at most
SELECT tenant_id, command_id, fingerprint, position, outcome IS NULL AS is_plain,
       outcome ->> 'position' AS told_position,
       CASE WHEN outcome IS NOT NULL THEN concat_ws('|',
           outcome #>> '{wallet,id}', outcome #>> '{wallet,customer_id}',
           outcome #>> '{wallet,user_id}', outcome #>> '{wallet,currency}',
           outcome #>> '{wallet,balance}', outcome #>> '{wallet,available_balance}',
           outcome #>> '{wallet,status}', outcome #>> '{wallet,version}', outcome ->> 'version'
       ) END AS shown
FROM command_outcomes
WHERE (tenant_id, command_id) > ($1::uuid, $2::text COLLATE "C")
ORDER BY tenant_id, command_id
LIMIT $3::bigint
