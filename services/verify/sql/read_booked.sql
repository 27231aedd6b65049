-- How far each wallet is booked; those of which nothing is are left out.
-- arrays, one element a wallet: $1 uuid tenant, $2 uuid wallet
SELECT asked.place, progress.version
FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS asked (tenant_id, wallet_id, place)
JOIN journal_progress AS progress
    ON progress.tenant_id = asked.tenant_id AND progress.wallet_id = asked.wallet_id
