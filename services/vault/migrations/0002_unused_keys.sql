-- Keys that were made for somebody who then did not become a customer.

-- Whether the log is known to name the customer; asked no more from then on. And since when the
-- key has been found to be nobody's: who uses it in spite of that takes the mark off.
ALTER TABLE customer_keys
    ADD COLUMN is_used boolean NOT NULL DEFAULT false,
    ADD COLUMN unused_since timestamptz,
    ADD CHECK (unused_since IS NULL OR (destroyed_at IS NULL AND NOT is_used));
CREATE INDEX customer_keys_unsettled ON customer_keys (tenant_id, user_id)
    WHERE NOT is_used AND destroyed_at IS NULL;

CREATE FUNCTION refuse_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.unused_since <= now() - interval '1 hour' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'no row goes away but that of a key which has been unused for an hour: % of % is refused',
        TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation',
              HINT = 'A key is destroyed by setting destroyed_at and removing what is wrapped.';
END
$$;

DROP TRIGGER customer_keys_stay ON customer_keys;
CREATE TRIGGER customer_keys_stay BEFORE DELETE ON customer_keys
    FOR EACH ROW EXECUTE FUNCTION refuse_removal();
