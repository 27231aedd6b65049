-- What only some transactions have: a lot's moment, a hold, a transfer, what was reversed.
ALTER TABLE transactions
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN hold_id uuid,
    ADD COLUMN held_after bigint,
    ADD COLUMN transfer_id uuid,
    ADD COLUMN other_wallet_id uuid,
    ADD COLUMN reverses uuid,
    ADD COLUMN reversed_after bigint;
COMMENT ON COLUMN transactions.reversed_after IS
    'of a reversal: how much of what it reverses is reversed after it; rows are never changed, so what a transaction shows as reversed is what its newest reversal says';

-- The reversals of a transaction, newest first.
CREATE INDEX transactions_by_reversed ON transactions (tenant_id, wallet_id, reverses, version)
    WHERE reversed_after IS NOT NULL;
