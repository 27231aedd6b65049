-- Double entry. Every event that moves money is one entry: an amount, from the account that is
-- credited to the account that is debited, in one currency. So each entry balances by itself,
-- and so does every set of entries. What else there is to say of an entry stands in its event.
CREATE TABLE journal_entries (
    tenant_id      uuid NOT NULL,
    debit_account  text COLLATE "C" NOT NULL,
    credit_account text COLLATE "C" NOT NULL,
    currency       text COLLATE "C" NOT NULL,
    position       bigint NOT NULL CHECK (position > 0),
    amount         bigint NOT NULL CHECK (amount > 0),
    PRIMARY KEY (tenant_id, debit_account, currency, position) INCLUDE (amount),
    CHECK (debit_account <> credit_account)
);
CREATE INDEX journal_entries_by_credit
    ON journal_entries (tenant_id, credit_account, currency, position) INCLUDE (amount);

-- Each account of each tenant in each currency, with everything that was ever booked. The sums
-- outgrow a bigint long before the amounts do.
CREATE TABLE accounts (
    tenant_id   uuid NOT NULL,
    account     text COLLATE "C" NOT NULL,
    currency    text COLLATE "C" NOT NULL,
    debits      numeric NOT NULL CHECK (debits >= 0),
    credits     numeric NOT NULL CHECK (credits >= 0),
    entry_count bigint NOT NULL CHECK (entry_count > 0),
    PRIMARY KEY (tenant_id, account, currency)
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 500);

-- The same, block by block: `block` is position / 16384. An account as of a position is the
-- blocks before it, and the entries of one block.
CREATE TABLE account_subtotals (
    tenant_id   uuid NOT NULL,
    account     text COLLATE "C" NOT NULL,
    currency    text COLLATE "C" NOT NULL,
    block       bigint NOT NULL CHECK (block >= 0),
    debits      numeric NOT NULL CHECK (debits >= 0),
    credits     numeric NOT NULL CHECK (credits >= 0),
    entry_count bigint NOT NULL CHECK (entry_count > 0),
    PRIMARY KEY (tenant_id, account, currency, block)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

-- Up to which stream version each wallet's events are booked. Not every event is an entry.
CREATE TABLE journal_progress (
    tenant_id uuid NOT NULL,
    wallet_id uuid NOT NULL,
    version   bigint NOT NULL CHECK (version > 0),
    PRIMARY KEY (tenant_id, wallet_id)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

-- One row: every event up to this position is booked, of all wallets. Kafka's partitions come
-- each in its own order, so what is booked beyond it has holes. Whoever books, locks the row.
CREATE TABLE journal_completeness (
    is_only  boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    position bigint NOT NULL CHECK (position >= 0)
) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 500);
