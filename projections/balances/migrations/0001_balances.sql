-- Every wallet as it stood at `version`. A change of balance touches no indexed column, so
-- with room on the page PostgreSQL changes the row in place (HOT) and no index is written.
CREATE TABLE balances (
    tenant_id         uuid NOT NULL,
    wallet_id         uuid NOT NULL,
    version           bigint NOT NULL CHECK (version > 0),
    customer_id       text COLLATE "C" NOT NULL,
    user_id           uuid NOT NULL,
    currency          text COLLATE "C" NOT NULL,
    status            text COLLATE "C" NOT NULL CHECK (status IN ('active', 'frozen', 'closed')),
    balance           bigint NOT NULL,
    available_balance bigint NOT NULL,
    opened_position   bigint NOT NULL CHECK (opened_position > 0),
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    metadata          json NOT NULL,
    PRIMARY KEY (tenant_id, wallet_id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
COMMENT ON COLUMN balances.opened_position IS
    'where the log opened the wallet: newest first by it is newest first for ever, so it is the cursor';

-- One index for each way to list; a customer's wallets are found in `wallets`, by the log's
-- own index. All of them are partial, by what is always true and only a list says: so no plan
-- for one wallet can take them, not even one that was made while the table was empty and any
-- index that starts with the tenant looked as good as the primary key.
CREATE INDEX balances_by_opening ON balances (tenant_id, opened_position)
    WHERE opened_position > 0;
CREATE INDEX balances_by_currency ON balances (tenant_id, currency, opened_position)
    WHERE opened_position > 0;
CREATE INDEX balances_by_status ON balances (tenant_id, status, opened_position)
    WHERE opened_position > 0;
CREATE INDEX balances_by_currency_and_status
    ON balances (tenant_id, currency, status, opened_position) WHERE opened_position > 0;
