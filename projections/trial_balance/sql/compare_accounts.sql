-- Live accounts that are not the sum of their subtotals.
SELECT tenant_id, account, currency, a::text AS shown, s::text AS added_up
FROM live_accounts AS a
FULL JOIN (SELECT tenant_id, account, currency, sum(debits) AS debits, sum(credits) AS credits,
                  sum(entry_count)::bigint AS entry_count
           FROM live_account_subtotals
           GROUP BY tenant_id, account, currency) AS s USING (tenant_id, account, currency)
WHERE (a.debits, a.credits, a.entry_count) IS DISTINCT FROM (s.debits, s.credits, s.entry_count)
ORDER BY tenant_id, account, currency
