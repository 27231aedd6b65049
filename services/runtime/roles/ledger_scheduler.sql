-- The scheduler: reads in which wallets something is due, and which documents and keys the log
-- names, so that what is left over in the vault can go. What it asks for goes by Kafka.
DO $$
BEGIN
    REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ledger_scheduler;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO ledger_scheduler', current_database());
    GRANT USAGE ON SCHEMA public TO ledger_scheduler;
    GRANT SELECT ON balances, holds, topups, events, wallets, customers TO ledger_scheduler;
END
$$
