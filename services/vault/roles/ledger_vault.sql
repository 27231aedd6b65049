-- Who uses the vault: the gateway, the scheduler that removes what is left over, and the commands
-- that erase, back up, restore and rotate. A key is destroyed by changing its row; the only rows
-- that a trigger lets go are those of keys that have been nobody's for an hour.
DO $$
BEGIN
    REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ledger_vault;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO ledger_vault', current_database());
    GRANT USAGE ON SCHEMA public TO ledger_vault;
    GRANT SELECT, INSERT, UPDATE ON customer_keys, active_master_key TO ledger_vault;
    GRANT DELETE ON customer_keys TO ledger_vault;
    GRANT SELECT, INSERT ON index_key TO ledger_vault;
END
$$
