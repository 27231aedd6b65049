-- The key store: wrapped data keys, in a database of its own.

-- Under which master key new data keys are kept. One row; made by the first key.
CREATE TABLE active_master_key (
    one           boolean PRIMARY KEY DEFAULT true CHECK (one),
    master_key_id text COLLATE "C" NOT NULL
);

-- One row a customer, for ever: with a key, or, once it was destroyed, with when.
CREATE TABLE customer_keys (
    tenant_id     uuid NOT NULL,
    user_id       uuid NOT NULL,
    master_key_id text COLLATE "C",
    wrapped_key   bytea,
    created_at    timestamptz,
    destroyed_at  timestamptz,
    PRIMARY KEY (tenant_id, user_id),
    CHECK ((wrapped_key IS NULL) = (destroyed_at IS NOT NULL)),
    CHECK ((wrapped_key IS NULL) = (master_key_id IS NULL)),
    CHECK (wrapped_key IS NULL OR created_at IS NOT NULL)
);
CREATE INDEX customer_keys_by_master_key ON customer_keys (master_key_id)
    WHERE master_key_id IS NOT NULL;

CREATE FUNCTION refuse_return() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a destroyed key stays destroyed, and no row goes away: % of % is refused',
        TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation',
              HINT = 'A key is destroyed by setting destroyed_at and removing what is wrapped.';
END
$$;

CREATE TRIGGER customer_keys_stay_destroyed BEFORE UPDATE ON customer_keys
    FOR EACH ROW WHEN (OLD.destroyed_at IS NOT NULL) EXECUTE FUNCTION refuse_return();
CREATE TRIGGER customer_keys_stay BEFORE DELETE ON customer_keys
    FOR EACH ROW EXECUTE FUNCTION refuse_return();
CREATE TRIGGER customer_keys_stay_whole BEFORE TRUNCATE ON customer_keys
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_return();
