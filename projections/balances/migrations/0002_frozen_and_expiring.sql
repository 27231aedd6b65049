-- What a freeze has stopped, and what of the available money lapses: all of it, and what is next.
ALTER TABLE balances
    ADD COLUMN frozen text COLLATE "C" CHECK (frozen IN ('debits', 'credits', 'all')),
    ADD COLUMN expiring_amount bigint,
    ADD COLUMN expiring_next_at timestamptz,
    ADD COLUMN expiring_next_amount bigint,
    ADD CHECK (num_nulls(expiring_amount, expiring_next_at, expiring_next_amount) IN (0, 3));

-- Every freeze before this stopped debits.
UPDATE balances SET frozen = 'debits' WHERE status = 'frozen';

-- What lapses next, of all tenants, for the scheduler. Most wallets have nothing that lapses:
-- they are not in it, and their row goes on changing in place.
CREATE INDEX balances_by_next_lapse ON balances (expiring_next_at)
    WHERE expiring_next_at IS NOT NULL;
