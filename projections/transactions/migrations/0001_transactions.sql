-- Every movement of money of every wallet, and every one that was declined. Rows are only
-- ever inserted. Newest first by version, page by page, is a backward scan of an index.
CREATE TABLE transactions (
    tenant_id         uuid NOT NULL,
    wallet_id         uuid NOT NULL,
    status            text COLLATE "C" NOT NULL CHECK (status IN ('completed', 'failed')),
    version           bigint NOT NULL CHECK (version > 1),
    event_id          uuid NOT NULL,
    position          bigint NOT NULL,
    type              text COLLATE "C" NOT NULL,
    kind              text COLLATE "C" NOT NULL,
    amount            bigint NOT NULL,
    balance_before    bigint NOT NULL,
    balance_after     bigint NOT NULL,
    available_balance bigint NOT NULL,
    currency          text COLLATE "C" NOT NULL,
    reference         text,
    description       text,
    code              text COLLATE "C",
    created_at        timestamptz NOT NULL,
    metadata          json NOT NULL,
    PRIMARY KEY (tenant_id, wallet_id, status, version)
);
CREATE INDEX transactions_by_type ON transactions (tenant_id, wallet_id, type, version)
    WHERE status = 'completed';

-- Up to which stream version a wallet's history is complete. Most events of a wallet are
-- transactions, but not all, so the rows themselves do not say.
CREATE TABLE transaction_progress (
    tenant_id uuid NOT NULL,
    wallet_id uuid NOT NULL,
    version   bigint NOT NULL CHECK (version > 0),
    PRIMARY KEY (tenant_id, wallet_id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
