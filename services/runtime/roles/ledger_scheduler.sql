-- The scheduler: reads in which wallets something is due, and which documents and keys the log
-- names, so that what is left over in the vault can go. What it asks for goes by Kafka. It shows how
-- long the oldest snapshot has been held, which takes a look at other logins' sessions; who may not
-- grant that leaves it out, and the metric is not a number then.
DO $$
BEGIN
    REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ledger_scheduler;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO ledger_scheduler', current_database());
    GRANT USAGE ON SCHEMA public TO ledger_scheduler;
    GRANT SELECT ON balances, holds, topups, events, wallets, customers TO ledger_scheduler;
    BEGIN
        IF NOT pg_has_role('ledger_scheduler', 'pg_read_all_stats', 'USAGE') THEN
            GRANT pg_read_all_stats TO ledger_scheduler;
        END IF;
    EXCEPTION WHEN insufficient_privilege THEN
        NULL;
    END;
END
$$
