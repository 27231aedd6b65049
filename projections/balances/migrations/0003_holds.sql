-- Every hold as it stood at `version`, which is the version of its wallet that changed it last.
CREATE TABLE holds (
    tenant_id       uuid NOT NULL,
    wallet_id       uuid NOT NULL,
    hold_id         uuid NOT NULL,
    opened_version  bigint NOT NULL CHECK (opened_version > 1),
    status          text COLLATE "C" NOT NULL
                    CHECK (status IN ('open', 'captured', 'voided', 'expired')),
    amount          bigint NOT NULL,
    captured_amount bigint NOT NULL,
    held_amount     bigint NOT NULL,
    currency        text COLLATE "C" NOT NULL,
    reference       text NOT NULL,
    description     text NOT NULL,
    metadata        json NOT NULL,
    expires_at      timestamptz,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    version         bigint NOT NULL CHECK (version >= opened_version),
    PRIMARY KEY (tenant_id, hold_id)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
COMMENT ON COLUMN holds.opened_version IS
    'the version of its wallet that placed the hold: newest first by it is newest first for ever, so it is the cursor';

-- One index for each way to list. They are partial, by what is always true and only a list says,
-- so that no plan for one hold can take them.
CREATE INDEX holds_by_opening ON holds (tenant_id, wallet_id, opened_version)
    WHERE opened_version > 1;
CREATE INDEX holds_by_status ON holds (tenant_id, wallet_id, status, opened_version)
    WHERE opened_version > 1;

-- What ends by itself next, of all tenants, for the scheduler.
CREATE INDEX holds_by_expiry ON holds (expires_at)
    WHERE status = 'open' AND expires_at IS NOT NULL;
