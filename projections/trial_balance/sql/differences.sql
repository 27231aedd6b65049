-- By how much debits and credits differ, by currency, over all tenants. Zero, or something is
-- broken; one tenant's error does not make up for another's.
SELECT currency, sum(abs(difference)) AS difference
FROM (SELECT tenant_id, currency, sum(debits) - sum(credits) AS difference
      FROM accounts
      GROUP BY tenant_id, currency) AS books
GROUP BY currency
ORDER BY currency
