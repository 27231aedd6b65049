-- Who looks: `ledger verify`, `ledger tail`, `ledger trial-balance`. The log, the read models and
-- how far each process is; of credentials all but the hashes of their secrets. Of customers it sees
-- the blind index, which without its key says nothing of the person.
DO $$
BEGIN
    REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ledger_reader;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO ledger_reader', current_database());
    GRANT USAGE ON SCHEMA public TO ledger_reader;
    GRANT SELECT
        ON appends, events, command_outcomes, consumed_references, wallets, wallet_closures,
           account_numbers, customers, snapshots, merchants, tenants, redirect_origins,
           relay_progress, projection_checkpoints, schema_migrations
        TO ledger_reader;
    GRANT SELECT (key_id, tenant_id, scopes, created_at, revoked_at, expires_at,
                  rate_limit_per_s, rate_limit_burst, position)
        ON credentials TO ledger_reader;
    GRANT SELECT
        ON balances, holds, topups, wallet_counts, transactions, transaction_progress,
           journal_entries, accounts, account_subtotals, journal_progress, journal_completeness
        TO ledger_reader;
END
$$
