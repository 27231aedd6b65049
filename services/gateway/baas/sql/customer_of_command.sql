-- The customer whose wallet a command of this id has opened or changed, null where there is none;
-- and whether it was declined because the person was a customer already.
-- No row: no command of this id was decided. $1 uuid tenant  $2 text command id
SELECT coalesce(c.user_id, (o.outcome -> 'wallet' ->> 'user_id')::uuid) AS user_id,
       (o.outcome -> 'rejection' ->> 'code') IS NOT DISTINCT FROM 'identity_taken' AS was_taken
FROM command_outcomes AS o
LEFT JOIN events AS e ON e.position = o.position
LEFT JOIN wallets AS w ON w.tenant_id = o.tenant_id AND w.wallet_id = e.stream_id
LEFT JOIN customers AS c ON c.tenant_id = w.tenant_id AND c.customer_id = w.customer_id
WHERE o.tenant_id = $1::uuid AND o.command_id = $2::text
