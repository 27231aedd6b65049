-- One top-up as it stands, with the newest version that the log has of its wallet and the version
-- up to which the read model is complete, all in one snapshot. No row: the tenant has no such
-- wallet. A wallet without this top-up is one row whose top-up is null.
-- $1 uuid tenant  $2 uuid wallet  $3 uuid top-up
SELECT newest.version AS newest, coalesce(b.version, 0) AS complete_to, t.topup_id,
       t.status, t.amount, t.currency, t.reference, t.description, t.redirect_url,
       t.cancel_url, t.expires_at, t.transaction_id, t.payment_id, t.code, t.created_at,
       t.updated_at, t.version, t.metadata
FROM (SELECT events.version
      FROM events
      WHERE events.tenant_id = $1::uuid AND events.stream_id = $2::uuid
      ORDER BY events.version DESC
      LIMIT 1) AS newest
LEFT JOIN balances AS b ON b.tenant_id = $1::uuid AND b.wallet_id = $2::uuid
LEFT JOIN topups AS t
    ON t.tenant_id = $1::uuid AND t.topup_id = $3::uuid AND t.wallet_id = $2::uuid
