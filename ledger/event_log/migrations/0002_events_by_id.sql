-- Holds, transfers and transactions are named by the id of the event that made them.
CREATE UNIQUE INDEX events_by_id ON events (event_id);

-- What was reversed of a transaction: its newest reversal says it. Only reversals are in it.
CREATE INDEX reversals_by_transaction
    ON events (tenant_id, (data ->> 'transaction_id'), position)
    WHERE type IN ('wallet.debit_reversed', 'wallet.credit_reversed');
