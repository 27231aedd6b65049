-- A page of the customers, whether each is found by who it is, and each one's wallets with the
-- positions at which they were opened.
-- $1 uuid tenant and $2 text customer after which the page begins  $3 bigint at most
SELECT c.tenant_id, c.customer_id, c.user_id, c.identity_index IS NOT NULL AS is_indexed,
       wallets.wallet_ids, wallets.positions
FROM (SELECT tenant_id, customer_id, user_id, identity_index
      FROM customers
      WHERE (tenant_id, customer_id) > ($1::uuid, $2::text)
      ORDER BY tenant_id, customer_id
      LIMIT $3::bigint) AS c
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(w.wallet_id), '{}') AS wallet_ids,
           coalesce(array_agg(w.position), '{}') AS positions
    FROM wallets AS w
    WHERE w.tenant_id = c.tenant_id AND w.customer_id = c.customer_id
) AS wallets
ORDER BY c.tenant_id, c.customer_id
