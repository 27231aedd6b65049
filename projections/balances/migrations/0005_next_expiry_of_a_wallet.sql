-- Which of a wallet's holds ends first: so that for the scheduler one wallet with many holds is
-- one wallet, and does not stand before all others.
CREATE INDEX holds_by_next_expiry ON holds (tenant_id, wallet_id, expires_at, hold_id)
    WHERE status = 'open' AND expires_at IS NOT NULL;
