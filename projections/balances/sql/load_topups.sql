-- Top-ups by their ids. arrays: $1 uuid tenants, $2 uuid top-ups
SELECT t.tenant_id, t.wallet_id, t.topup_id, t.status,
       t.amount, t.currency, t.reference, t.description, t.redirect_url, t.cancel_url, t.expires_at,
       t.transaction_id, t.payment_id, t.code, t.created_at, t.updated_at, t.version, t.metadata
FROM unnest($1::uuid[], $2::uuid[]) AS asked (tenant_id, topup_id)
JOIN topups AS t ON t.tenant_id = asked.tenant_id AND t.topup_id = asked.topup_id
