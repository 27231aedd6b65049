-- One hold as it stands, with the newest version that the log has of its wallet and the version
-- up to which the read model is complete, all in one snapshot. No row: the tenant has no such
-- wallet. A wallet without this hold is one row whose hold is null.
-- $1 uuid tenant  $2 uuid wallet  $3 uuid hold
SELECT newest.version AS newest, coalesce(b.version, 0) AS complete_to, h.hold_id, h.status,
       h.amount, h.captured_amount, h.held_amount, h.currency, h.reference, h.description,
       h.expires_at, h.created_at, h.updated_at, h.version, h.metadata
FROM (SELECT events.version
      FROM events
      WHERE events.tenant_id = $1::uuid AND events.stream_id = $2::uuid
      ORDER BY events.version DESC
      LIMIT 1) AS newest
LEFT JOIN balances AS b ON b.tenant_id = $1::uuid AND b.wallet_id = $2::uuid
LEFT JOIN holds AS h
    ON h.tenant_id = $1::uuid AND h.hold_id = $3::uuid AND h.wallet_id = $2::uuid
