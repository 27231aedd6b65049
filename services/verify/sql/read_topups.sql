-- For each top-up: its row, and up to which version of its wallet the read model is complete.
-- arrays, one element a top-up: $1 uuid tenant, $2 uuid wallet, $3 uuid top-up
SELECT asked.place, coalesce(b.version, 0) AS complete_to, t.wallet_id, t.topup_id, t.status,
       t.amount, t.currency, t.reference, t.description, t.redirect_url, t.cancel_url, t.expires_at,
       t.transaction_id, t.payment_id, t.code, t.created_at, t.updated_at, t.version, t.metadata
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[])
     WITH ORDINALITY AS asked (tenant_id, wallet_id, topup_id, place)
LEFT JOIN balances AS b ON b.tenant_id = asked.tenant_id AND b.wallet_id = asked.wallet_id
LEFT JOIN topups AS t ON t.tenant_id = asked.tenant_id AND t.topup_id = asked.topup_id
