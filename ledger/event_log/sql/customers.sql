-- For each customer and currency: the open wallet, and who has the user id.
-- $1 uuid[] tenants, $2 text[] customers, $3 text[] currencies, $4 uuid[] user ids
SELECT asked.tenant_id, asked.customer_id, asked.currency, asked.user_id,
       w.wallet_id, owner.customer_id AS user_id_owner
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[])
     AS asked (tenant_id, customer_id, currency, user_id)
LEFT JOIN LATERAL (
    SELECT wallets.wallet_id FROM wallets
    LEFT JOIN wallet_closures c
        ON c.tenant_id = wallets.tenant_id AND c.wallet_id = wallets.wallet_id
    WHERE wallets.tenant_id = asked.tenant_id AND wallets.customer_id = asked.customer_id
      AND wallets.currency = asked.currency AND c.wallet_id IS NULL
) w ON true
LEFT JOIN customers owner
    ON owner.tenant_id = asked.tenant_id AND owner.user_id = asked.user_id
