-- What was declined under a reference, newest by its position: a decline consumes no reference,
-- so `consumed_references` does not have it. Only declined movements are in it.
CREATE INDEX declines_by_reference ON events (tenant_id, (data ->> 'reference'), position)
    WHERE type IN ('wallet.debit_declined', 'wallet.credit_declined', 'wallet.topup_unapplied');

-- Who was erased, in order: before keys of customers are used, all of these are destroyed.
CREATE INDEX erasures ON events (position) WHERE type = 'wallet.customer_erased';
