-- A wallet's top-ups, newest first, with the newest version that the log has and the
-- version up to which the read model is complete, all in one snapshot. No row: the tenant has
-- no such wallet. A wallet without such top-ups is one row whose top-up is null.
-- $1 uuid tenant  $2 uuid wallet  $3 bigint only those opened before this version
-- $4 bigint at most
SELECT newest.version AS newest, coalesce(b.version, 0) AS complete_to, t.topup_id,
       t.opened_version, t.status, t.amount, t.currency, t.reference, t.description, t.redirect_url,
       t.cancel_url, t.expires_at, t.transaction_id, t.payment_id, t.code, t.created_at,
       t.updated_at, t.version, t.metadata
FROM (SELECT events.version
      FROM events
      WHERE events.tenant_id = $1::uuid AND events.stream_id = $2::uuid
        AND events.stream_id <> events.tenant_id
      ORDER BY events.version DESC
      LIMIT 1) AS newest
LEFT JOIN balances AS b ON b.tenant_id = $1::uuid AND b.wallet_id = $2::uuid
LEFT JOIN LATERAL (
    SELECT topups.*
    FROM topups
    WHERE topups.tenant_id = $1::uuid AND topups.wallet_id = $2::uuid
      AND topups.opened_version > 1 AND topups.opened_version < $3::bigint
    ORDER BY topups.opened_version DESC
    LIMIT $4::bigint
) AS t ON true
ORDER BY t.opened_version DESC
