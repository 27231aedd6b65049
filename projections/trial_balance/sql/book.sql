-- Add to the subtotals, and to the accounts. In the order of the keys, as every process does it.
-- arrays, one element an account and block: $1 uuid tenant, $2 text account, $3 text currency,
--   $4 bigint block, $5 numeric debits, $6 numeric credits, $7 bigint entries
WITH booked AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::numeric[],
                         $6::numeric[], $7::bigint[])
         AS b (tenant_id, account, currency, block, debits, credits, entry_count)
),
in_blocks AS (
    INSERT INTO account_subtotals AS known
        (tenant_id, account, currency, block, debits, credits, entry_count)
    SELECT * FROM booked ORDER BY tenant_id, account, currency, block
    ON CONFLICT (tenant_id, account, currency, block) DO UPDATE
    SET debits = known.debits + excluded.debits, credits = known.credits + excluded.credits,
        entry_count = known.entry_count + excluded.entry_count
)
INSERT INTO accounts AS known (tenant_id, account, currency, debits, credits, entry_count)
SELECT tenant_id, account, currency, sum(debits), sum(credits), sum(entry_count)
FROM booked
GROUP BY tenant_id, account, currency
ORDER BY tenant_id, account, currency
ON CONFLICT (tenant_id, account, currency) DO UPDATE
SET debits = known.debits + excluded.debits, credits = known.credits + excluded.credits,
    entry_count = known.entry_count + excluded.entry_count
