-- Customers who are known. The index tells one person from another and nothing else: an HMAC of
-- the BVN. It is cleared when the customer is erased; `customers` is no part of the log.
ALTER TABLE customers
    ADD COLUMN identity_index bytea CHECK (octet_length(identity_index) = 32);
CREATE UNIQUE INDEX customers_by_identity ON customers (tenant_id, identity_index)
    WHERE identity_index IS NOT NULL;

-- Account numbers, allotted by the append. One row of serials for each tenant, whatever its
-- banks: the check digit alone would not keep two banks' numbers apart.
CREATE TABLE account_numbers (
    tenant_id      uuid NOT NULL,
    serial         bigint NOT NULL CHECK (serial BETWEEN 0 AND 999999999),
    bank_code      text COLLATE "C" NOT NULL,
    account_number text COLLATE "C" NOT NULL,
    wallet_id      uuid NOT NULL,
    position       bigint NOT NULL,
    PRIMARY KEY (tenant_id, serial),
    UNIQUE (tenant_id, account_number)
);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON account_numbers
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
