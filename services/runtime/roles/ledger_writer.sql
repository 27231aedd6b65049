-- Who appends: gateway, intake, and the commands about customers and reviews. The log grows by
-- them and is never changed by them; of a customer they may change one thing, the index by which
-- the person is known, which goes when the customer is erased. Read models they only read.
DO $$
BEGIN
    REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ledger_writer;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO ledger_writer', current_database());
    GRANT USAGE ON SCHEMA public TO ledger_writer;
    GRANT SELECT, INSERT
        ON appends, events, command_outcomes, consumed_references, wallets, wallet_closures,
           customers, account_numbers
        TO ledger_writer;
    GRANT UPDATE (identity_index) ON customers TO ledger_writer;
    GRANT SELECT, INSERT, UPDATE ON snapshots TO ledger_writer;
    GRANT SELECT ON merchants, tenants, credentials, redirect_origins TO ledger_writer;
    GRANT SELECT, INSERT, UPDATE ON credential_usage TO ledger_writer;
    GRANT SELECT
        ON balances, holds, topups, wallet_counts, transactions, transaction_progress,
           journal_entries, accounts, account_subtotals, journal_progress, journal_completeness
        TO ledger_writer;
END
$$
