-- The log, what the append writes beside it, and the tenants whose it is.
-- Every unique key starts with the tenant, so that a tenant can move whole to another cell.

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log is append-only: % of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation',
              HINT = 'Correct a mistake by a new, opposite event.';
END
$$;

-- The chain of appends: its newest row is the head of the log. A writer that wants
-- number n + 1 must have seen n, so positions are gapless and in commit order.
CREATE TABLE appends (
    number        bigint PRIMARY KEY CHECK (number > 0),
    append_id     uuid NOT NULL,
    last_position bigint NOT NULL CHECK (last_position >= 0),
    hash          bytea NOT NULL CHECK (octet_length(hash) = 32),
    recorded_at   timestamptz NOT NULL
);

CREATE TABLE events (
    position       bigint PRIMARY KEY CHECK (position > 0),
    tenant_id      uuid NOT NULL,
    stream_id      uuid NOT NULL,
    version        bigint NOT NULL CHECK (version > 0),
    event_id       uuid NOT NULL,
    type           text COLLATE "C" NOT NULL,
    schema_version smallint NOT NULL,
    data           json NOT NULL,
    metadata       json NOT NULL,
    recorded_at    timestamptz NOT NULL,
    hash           bytea NOT NULL CHECK (octet_length(hash) = 32),
    UNIQUE (tenant_id, stream_id, version)
);

-- Idempotency. A command id freezes whatever was decided; a reference is consumed by a
-- success only. `outcome` is null where the event at `position` says it all.
CREATE TABLE command_outcomes (
    tenant_id   uuid NOT NULL,
    command_id  text COLLATE "C" NOT NULL,
    fingerprint bytea NOT NULL,
    position    bigint,
    outcome     json,
    PRIMARY KEY (tenant_id, command_id),
    CHECK (position IS NOT NULL OR outcome IS NOT NULL)
);

CREATE TABLE consumed_references (
    tenant_id   uuid NOT NULL,
    reference   text COLLATE "C" NOT NULL,
    fingerprint bytea NOT NULL,
    position    bigint NOT NULL,
    PRIMARY KEY (tenant_id, reference)
);

-- What a client can name, resolved in the same commit as the event that made it.
CREATE TABLE customers (
    tenant_id   uuid NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    user_id     uuid NOT NULL,
    PRIMARY KEY (tenant_id, customer_id),
    UNIQUE (tenant_id, user_id)
);

CREATE TABLE wallets (
    tenant_id   uuid NOT NULL,
    wallet_id   uuid NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    currency    text COLLATE "C" NOT NULL,
    position    bigint NOT NULL,
    PRIMARY KEY (tenant_id, wallet_id)
);
CREATE INDEX wallets_by_customer ON wallets (tenant_id, customer_id, currency);

-- A closed wallet frees its customer's slot. A table of its own, so that nothing in the
-- log is ever updated.
CREATE TABLE wallet_closures (
    tenant_id uuid NOT NULL,
    wallet_id uuid NOT NULL,
    position  bigint NOT NULL,
    PRIMARY KEY (tenant_id, wallet_id)
);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON appends
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON command_outcomes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON consumed_references
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON wallets
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON wallet_closures
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Snapshots shorten the fold of a long stream. Dropping them changes nothing but time.
CREATE TABLE snapshots (
    tenant_id     uuid NOT NULL,
    stream_id     uuid NOT NULL,
    version       bigint NOT NULL,
    event_hash    bytea NOT NULL,
    state_version smallint NOT NULL,
    state         json NOT NULL,
    PRIMARY KEY (tenant_id, stream_id)
);

-- A tenant is one merchant in one environment; its credentials are stored hashed.
CREATE TABLE merchants (
    merchant_id uuid PRIMARY KEY,
    name        text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE tenants (
    tenant_id   uuid PRIMARY KEY,
    merchant_id uuid NOT NULL REFERENCES merchants,
    environment text NOT NULL CHECK (environment IN ('live', 'sandbox')),
    UNIQUE (merchant_id, environment)
);

CREATE TABLE credentials (
    key_id      text COLLATE "C" PRIMARY KEY,
    tenant_id   uuid NOT NULL REFERENCES tenants,
    secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    scopes      text[] NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    revoked_at  timestamptz
);

-- How far the relay has published. `generation` is the topic's; the topic's id and
-- partition count are recorded so that the relay refuses another topic.
CREATE TABLE relay_progress (
    generation         integer PRIMARY KEY,
    topic              text NOT NULL,
    topic_id           text NOT NULL,
    partition_count    integer NOT NULL,
    published_position bigint NOT NULL,
    published_hash     bytea,
    updated_at         timestamptz NOT NULL
);
