-- Who keeps merchants and their credentials: `ledger merchants`, `ledger keys`. Of a credential
-- it can change that it is revoked, and what it may ask for. It sees nothing of the log.
DO $$
BEGIN
    REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ledger_administrator;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO ledger_administrator', current_database());
    GRANT USAGE ON SCHEMA public TO ledger_administrator;
    GRANT SELECT, INSERT ON merchants, tenants, credentials TO ledger_administrator;
    GRANT UPDATE (revoked_at, rate_limit_per_s, rate_limit_burst)
        ON credentials TO ledger_administrator;
    GRANT SELECT ON credential_usage TO ledger_administrator;
    GRANT SELECT, INSERT, DELETE ON redirect_origins TO ledger_administrator;
END
$$
