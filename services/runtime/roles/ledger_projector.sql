-- Projectors: write read models and checkpoints, and nothing else. They read the log, for their
-- beginning and for what Kafka did not bring. Rows of a history and of the journal are never
-- changed; no row of a read model is deleted.
DO $$
BEGIN
    REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ledger_projector;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO ledger_projector', current_database());
    GRANT USAGE ON SCHEMA public TO ledger_projector;
    GRANT SELECT ON events, relay_progress TO ledger_projector;
    GRANT SELECT, INSERT ON transactions, journal_entries TO ledger_projector;
    GRANT SELECT, INSERT, UPDATE
        ON balances, holds, topups, wallet_counts, transaction_progress, accounts,
           account_subtotals, journal_progress, journal_completeness
        TO ledger_projector;
    GRANT SELECT, INSERT, UPDATE, DELETE ON projection_checkpoints TO ledger_projector;
END
$$
