-- Wallets whose rebuilt row differs from the live one although both are at one version, or
-- that only one of the two has. arrays spelled as text: $1 uuid tenants, $2 uuid wallets
SELECT asked.tenant_id, asked.wallet_id, to_json(rebuilt) AS rebuilt, to_json(live) AS live
FROM unnest($1::text::uuid[], $2::text::uuid[]) AS asked (tenant_id, wallet_id)
LEFT JOIN balances AS rebuilt USING (tenant_id, wallet_id)
LEFT JOIN live_balances AS live USING (tenant_id, wallet_id)
WHERE live.version IS NULL
   OR live.version < rebuilt.version
   OR (live.version = rebuilt.version AND rebuilt::text IS DISTINCT FROM live::text)
