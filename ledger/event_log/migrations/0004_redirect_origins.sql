-- To where a merchant lets customers' browsers be sent after a top-up: scheme, host and port.
-- A merchant without any has no list: every origin is allowed.
CREATE TABLE redirect_origins (
    merchant_id uuid NOT NULL REFERENCES merchants,
    origin      text COLLATE "C" NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (merchant_id, origin)
);
