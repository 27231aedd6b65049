-- Sessions, one for each top-up that is not cancelled, and the callbacks that tell of them.
-- Times are seconds since 1970; amounts are minor units.

CREATE TABLE sessions (
    session_id   TEXT PRIMARY KEY,
    topup_id     TEXT NOT NULL,
    amount       INTEGER NOT NULL CHECK (amount > 0),
    currency     TEXT NOT NULL,
    merchant     TEXT NOT NULL,
    description  TEXT NOT NULL,
    return_url   TEXT NOT NULL,
    callback_url TEXT NOT NULL,
    expires_at   REAL NOT NULL,
    status       TEXT NOT NULL CHECK (status IN ('open', 'paid', 'cancelled')),
    payment_id   TEXT CHECK ((payment_id IS NOT NULL) = (status = 'paid')),
    created_at   REAL NOT NULL
) STRICT;

CREATE UNIQUE INDEX sessions_by_topup ON sessions (topup_id) WHERE status <> 'cancelled';

CREATE TABLE callbacks (
    callback_id     INTEGER PRIMARY KEY,
    session_id      TEXT NOT NULL REFERENCES sessions,
    url             TEXT NOT NULL,
    body            TEXT NOT NULL,
    forged_attempts INTEGER NOT NULL,
    created_at      REAL NOT NULL,
    due_at          REAL NOT NULL,
    attempts        INTEGER NOT NULL DEFAULT 0,
    settled_at      REAL,
    outcome         TEXT
) STRICT;

CREATE INDEX callbacks_by_due ON callbacks (due_at) WHERE settled_at IS NULL;
