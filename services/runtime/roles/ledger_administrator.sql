-- Who keeps merchants and their credentials: `ledger merchants`, `ledger keys`, `ledger audit`. Each
-- change is an append, so it is a member of ledger_writer, too, before this is run; a trigger refuses
-- a change of a credential without its event.
DO $$
BEGIN
    REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ledger_administrator;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO ledger_administrator', current_database());
    GRANT USAGE ON SCHEMA public TO ledger_administrator;
    GRANT SELECT, INSERT ON merchants, tenants, credentials TO ledger_administrator;
    GRANT UPDATE (revoked_at, expires_at, rate_limit_per_s, rate_limit_burst, position)
        ON credentials TO ledger_administrator;
    GRANT SELECT ON credential_usage TO ledger_administrator;
    GRANT SELECT, INSERT, DELETE ON redirect_origins TO ledger_administrator;
END
$$
