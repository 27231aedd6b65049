-- Holds by their ids. arrays: $1 uuid tenants, $2 uuid holds
SELECT h.tenant_id, h.wallet_id, h.hold_id, h.status, h.amount, h.captured_amount, h.held_amount,
       h.currency, h.reference, h.description, h.expires_at, h.created_at, h.updated_at,
       h.version, h.metadata
FROM unnest($1::uuid[], $2::uuid[]) AS asked (tenant_id, hold_id)
JOIN holds AS h ON h.tenant_id = asked.tenant_id AND h.hold_id = asked.hold_id
