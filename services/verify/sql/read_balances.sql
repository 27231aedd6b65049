-- For each wallet: its row, how many lines its history says it has and how many it has, and where the
-- log has the first event that each read model lacks. arrays: $1 uuid tenants, $2 uuid wallets
SELECT asked.place, b.customer_id, b.user_id, b.currency, b.balance, b.available_balance,
       b.status, b.frozen, b.expiring_amount, b.expiring_next_at, b.expiring_next_amount,
       b.created_at, b.updated_at, b.version, b.metadata, b.opened_position,
       b.tier, b.review, b.bank_code, b.account_number, b.kyc_updated, b.is_erased, b.identity,
       progress.lines, counted.lines AS counted_lines,
       lacking_balance.position AS balance_lacks, lacking_line.position AS history_lacks,
       lacking_entry.position AS journal_lacks
FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS asked (tenant_id, wallet_id, place)
LEFT JOIN balances AS b ON b.tenant_id = asked.tenant_id AND b.wallet_id = asked.wallet_id
LEFT JOIN transaction_progress AS progress
    ON progress.tenant_id = asked.tenant_id AND progress.wallet_id = asked.wallet_id
LEFT JOIN journal_progress AS booked
    ON booked.tenant_id = asked.tenant_id AND booked.wallet_id = asked.wallet_id
LEFT JOIN events AS lacking_balance
    ON lacking_balance.tenant_id = asked.tenant_id AND lacking_balance.stream_id = asked.wallet_id
   AND lacking_balance.version = coalesce(b.version, 0) + 1
LEFT JOIN events AS lacking_line
    ON lacking_line.tenant_id = asked.tenant_id AND lacking_line.stream_id = asked.wallet_id
   AND lacking_line.version = coalesce(progress.version, 0) + 1
LEFT JOIN events AS lacking_entry
    ON lacking_entry.tenant_id = asked.tenant_id AND lacking_entry.stream_id = asked.wallet_id
   AND lacking_entry.version = coalesce(booked.version, 0) + 1
CROSS JOIN LATERAL (
    SELECT count(*) AS lines
    FROM transactions AS t
    WHERE t.tenant_id = asked.tenant_id AND t.wallet_id = asked.wallet_id
) AS counted
