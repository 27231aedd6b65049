-- The relay: reads the log, and records how far it is published.
DO $$
BEGIN
    REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ledger_relay;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO ledger_relay', current_database());
    GRANT USAGE ON SCHEMA public TO ledger_relay;
    GRANT SELECT ON appends, events TO ledger_relay;
    GRANT SELECT, INSERT, UPDATE ON relay_progress TO ledger_relay;
END
$$
