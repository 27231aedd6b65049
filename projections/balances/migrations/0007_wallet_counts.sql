-- How many wallets a tenant has in a currency, block by block: `block` is the position of the
-- opening / 16384. So a list that says how many there are need not count them, and one that skips
-- many wallets reads the wallets of one block only. No wallet is ever removed.
CREATE TABLE wallet_counts (
    tenant_id uuid NOT NULL,
    block     bigint NOT NULL CHECK (block >= 0),
    currency  text COLLATE "C" NOT NULL,
    wallets   bigint NOT NULL CHECK (wallets > 0),
    PRIMARY KEY (tenant_id, block, currency)
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 500);

-- What is opened while they are counted would be in neither.
LOCK TABLE balances IN SHARE MODE;
INSERT INTO wallet_counts (tenant_id, block, currency, wallets)
SELECT tenant_id, opened_position / 16384, currency, count(*)
FROM balances
GROUP BY 1, 2, 3;
