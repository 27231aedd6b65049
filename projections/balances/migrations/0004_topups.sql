-- Every top-up as it stood at `version`, which is the version of its wallet that changed it last.
CREATE TABLE topups (
    tenant_id      uuid NOT NULL,
    wallet_id      uuid NOT NULL,
    topup_id       uuid NOT NULL,
    opened_version bigint NOT NULL CHECK (opened_version > 1),
    status         text COLLATE "C" NOT NULL
                   CHECK (status IN ('pending', 'completed', 'cancelled', 'expired', 'unapplied')),
    amount         bigint NOT NULL,
    currency       text COLLATE "C" NOT NULL,
    reference      text NOT NULL,
    description    text NOT NULL,
    redirect_url   text NOT NULL,
    cancel_url     text,
    metadata       json NOT NULL,
    expires_at     timestamptz NOT NULL,
    transaction_id uuid,
    payment_id     text,
    code           text COLLATE "C",
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    version        bigint NOT NULL CHECK (version >= opened_version),
    PRIMARY KEY (tenant_id, topup_id),
    CHECK ((status IN ('completed', 'unapplied')) = (transaction_id IS NOT NULL)),
    CHECK ((status = 'unapplied') = (code IS NOT NULL))
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
COMMENT ON COLUMN topups.opened_version IS
    'the version of its wallet that made the top-up: newest first by it is newest first for ever, so it is the cursor';

-- One index for each way to list. They are partial, by what is always true and only a list says,
-- so that no plan for one top-up can take them.
CREATE INDEX topups_by_opening ON topups (tenant_id, wallet_id, opened_version)
    WHERE opened_version > 1;
CREATE INDEX topups_by_status ON topups (tenant_id, wallet_id, status, opened_version)
    WHERE opened_version > 1;

-- What ends by itself next, of all tenants, for the scheduler.
CREATE INDEX topups_by_expiry ON topups (expires_at) WHERE status = 'pending';
