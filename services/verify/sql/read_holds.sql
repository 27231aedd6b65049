-- For each hold: its row, and up to which version of its wallet the read model is complete.
-- arrays, one element a hold: $1 uuid tenant, $2 uuid wallet, $3 uuid hold
SELECT asked.place, coalesce(b.version, 0) AS complete_to, h.wallet_id, h.hold_id, h.status,
       h.amount, h.captured_amount, h.held_amount, h.currency, h.reference, h.description,
       h.expires_at, h.created_at, h.updated_at, h.version, h.metadata
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[])
     WITH ORDINALITY AS asked (tenant_id, wallet_id, hold_id, place)
LEFT JOIN balances AS b ON b.tenant_id = asked.tenant_id AND b.wallet_id = asked.wallet_id
LEFT JOIN holds AS h ON h.tenant_id = asked.tenant_id AND h.hold_id = asked.hold_id
