-- How far each wallet's history is complete; `place` is where the wallet stands in the
-- question, from 1. arrays spelled as text: $1 uuid tenants, $2 uuid wallets
SELECT asked.place, p.version
FROM unnest($1::text::uuid[], $2::text::uuid[])
     WITH ORDINALITY AS asked (tenant_id, wallet_id, place)
JOIN transaction_progress AS p
    ON p.tenant_id = asked.tenant_id AND p.wallet_id = asked.wallet_id
