-- Subtotals that differ between the rebuilt and the live table, of blocks that both have whole.
SELECT tenant_id, account, currency, block, l::text AS live, r::text AS rebuilt
FROM account_subtotals AS r
FULL JOIN live_account_subtotals AS l USING (tenant_id, account, currency, block)
WHERE (block + 1) * 16384 - 1 <= least((SELECT position FROM journal_completeness),
                                       (SELECT position FROM live_journal_completeness))
  AND (r.debits, r.credits, r.entry_count) IS DISTINCT FROM (l.debits, l.credits, l.entry_count)
ORDER BY tenant_id, account, currency, block
