-- A wallet's declined lines of one type, newest first: there may be many of the others. What is
-- completed pays nothing for it.
CREATE INDEX transactions_declined_by_type ON transactions (tenant_id, wallet_id, type, version)
    WHERE status = 'failed';
