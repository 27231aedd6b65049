-- How much a credential may ask for, where that is not what the gateways allow every credential:
-- units a second, and how many at once.
ALTER TABLE credentials
    ADD COLUMN rate_limit_per_s integer,
    ADD COLUMN rate_limit_burst integer,
    ADD CONSTRAINT rate_limit_whole CHECK (
        (rate_limit_per_s IS NULL AND rate_limit_burst IS NULL)
        OR coalesce(rate_limit_per_s >= 1 AND rate_limit_burst >= rate_limit_per_s, false)
    );

-- What gateways tell each other of a credential's use: how many units all of them have let
-- through, ever, and when it was used last. It is a table apart, so that gateways need not be able
-- to write credentials. Updates leave room for themselves, and touch no index.
CREATE TABLE credential_usage (
    key_id       text COLLATE "C" PRIMARY KEY REFERENCES credentials ON DELETE CASCADE,
    units        bigint NOT NULL,
    last_used_at timestamptz NOT NULL
) WITH (fillfactor = 50);
