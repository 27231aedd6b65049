-- Who changed what of merchants, credentials and origins is told by events in each tenant's own
-- stream, whose id is the tenant's. What was changed before has no event: nobody knows who did it.

-- A credential that another replaces stops by itself. `position` is the newest event that changed
-- the credential; 0 where that was before there were such events.
ALTER TABLE credentials
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN position   bigint NOT NULL DEFAULT 0;
ALTER TABLE credentials ALTER COLUMN position DROP DEFAULT;

CREATE FUNCTION require_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM events
                   WHERE events.position = NEW.position AND events.tenant_id = NEW.tenant_id
                     AND events.stream_id = NEW.tenant_id) THEN
        RAISE EXCEPTION 'a change of % needs its event', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation',
                  HINT = 'Use the command line: ledger keys create, rotate or revoke.';
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION refuse_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', HINT = 'Revoke it: ledger keys revoke.';
END
$$;

CREATE TRIGGER told_by_event
    AFTER INSERT OR UPDATE OF key_id, tenant_id, secret_hash, scopes, created_at, revoked_at,
                              expires_at, rate_limit_per_s, rate_limit_burst, position
    ON credentials FOR EACH ROW EXECUTE FUNCTION require_event();
CREATE TRIGGER kept BEFORE DELETE OR TRUNCATE ON credentials
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal();

-- What the audit log shows: all of the tenants' own streams, and what was done to customers.
CREATE INDEX audited ON events (tenant_id, position)
    WHERE stream_id = tenant_id OR type IN ('wallet.reviewed', 'wallet.customer_erased');
