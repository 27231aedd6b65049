-- A wallet's holds, newest first, with the newest version that the log has and the
-- version up to which the read model is complete, all in one snapshot. No row: the tenant has
-- no such wallet. A wallet without such holds is one row whose hold is null.
-- $1 uuid tenant  $2 uuid wallet  $3 bigint only those opened before this version
-- $4 bigint at most
SELECT newest.version AS newest, coalesce(b.version, 0) AS complete_to, h.hold_id,
       h.opened_version, h.status, h.amount, h.captured_amount, h.held_amount, h.currency,
       h.reference, h.description, h.expires_at, h.created_at, h.updated_at, h.version, h.metadata
FROM (SELECT events.version
      FROM events
      WHERE events.tenant_id = $1::uuid AND events.stream_id = $2::uuid
        AND events.stream_id <> events.tenant_id
      ORDER BY events.version DESC
      LIMIT 1) AS newest
LEFT JOIN balances AS b ON b.tenant_id = $1::uuid AND b.wallet_id = $2::uuid
LEFT JOIN LATERAL (
    SELECT holds.*
    FROM holds
    WHERE holds.tenant_id = $1::uuid AND holds.wallet_id = $2::uuid
      AND holds.opened_version > 1 AND holds.opened_version < $3::bigint
    ORDER BY holds.opened_version DESC
    LIMIT $4::bigint
) AS h ON true
ORDER BY h.opened_version DESC
