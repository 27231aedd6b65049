-- Under which names each wallet can be found, whether it was closed, and by an event of its own;
-- and, of an open one, how many more of its customer's in its currency are open: of a closed one
-- nobody asks, and a customer may have closed many. All in one snapshot.
-- arrays: $1 uuid tenants, $2 uuid wallets
SELECT asked.place, w.customer_id, w.currency, w.position, c.user_id,
       closed.position AS closed_position,
       CASE WHEN closed.position IS NOT NULL THEN coalesce(told.type = 'wallet.closed', false) END
           AS is_told,
       others.open AS others_open
FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS asked (tenant_id, wallet_id, place)
LEFT JOIN wallets AS w ON w.tenant_id = asked.tenant_id AND w.wallet_id = asked.wallet_id
LEFT JOIN customers AS c ON c.tenant_id = w.tenant_id AND c.customer_id = w.customer_id
LEFT JOIN wallet_closures AS closed
    ON closed.tenant_id = asked.tenant_id AND closed.wallet_id = asked.wallet_id
LEFT JOIN events AS told
    ON told.position = closed.position AND told.tenant_id = asked.tenant_id
   AND told.stream_id = asked.wallet_id
CROSS JOIN LATERAL (
    SELECT count(*) AS open
    FROM wallets AS other
    WHERE closed.position IS NULL
      AND other.tenant_id = w.tenant_id AND other.customer_id = w.customer_id
      AND other.currency = w.currency AND other.wallet_id <> w.wallet_id
      AND NOT EXISTS (SELECT FROM wallet_closures AS ended
                      WHERE ended.tenant_id = other.tenant_id
                        AND ended.wallet_id = other.wallet_id)
) AS others
