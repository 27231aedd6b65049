-- How many lines a wallet's history has, completed and declined together, so that a list that
-- says how many there are need not count them.
ALTER TABLE transaction_progress ADD COLUMN lines bigint NOT NULL DEFAULT 0 CHECK (lines >= 0);
UPDATE transaction_progress AS progress
SET lines = counted.lines
FROM (SELECT tenant_id, wallet_id, count(*) AS lines
      FROM transactions
      GROUP BY tenant_id, wallet_id) AS counted
WHERE counted.tenant_id = progress.tenant_id AND counted.wallet_id = progress.wallet_id;

-- The captures of a hold, newest first: they may have no reference but the hold's.
CREATE INDEX transactions_by_hold ON transactions (tenant_id, wallet_id, hold_id, version)
    WHERE hold_id IS NOT NULL AND status = 'completed';
