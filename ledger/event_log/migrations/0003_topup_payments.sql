-- What payments a top-up has had: which one was applied, and whether one was kept as unapplied.
-- Only payments are in it.
CREATE INDEX payments_by_topup
    ON events (tenant_id, (data ->> 'topup_id'), type, (data ->> 'payment_id'))
    WHERE type IN ('wallet.topped_up', 'wallet.topup_unapplied');
