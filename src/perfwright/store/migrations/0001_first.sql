-- Campaigns, their sessions, steps and timed pairs.

CREATE TABLE campaigns (
    number      INTEGER PRIMARY KEY,              -- in order of creation
    id          TEXT NOT NULL UNIQUE,             -- qsort-7f3a2c
    program     TEXT NOT NULL,
    path        TEXT NOT NULL,
    settings    TEXT NOT NULL,                    -- JSON object
    toolchain   TEXT NOT NULL,                    -- fingerprint
    sources     TEXT NOT NULL,                    -- JSON object: path -> sha256
    seed        INTEGER NOT NULL,
    mind        TEXT NOT NULL,
    version     TEXT NOT NULL,                    -- of perfwright
    started     TEXT NOT NULL,                    -- ISO 8601, UTC
    ended       TEXT,
    status      TEXT NOT NULL DEFAULT 'running',
    cause       TEXT NOT NULL DEFAULT '',         -- of a failure
    outcome     TEXT                              -- JSON of core's Outcome
) STRICT;

CREATE TABLE sessions (
    campaign        TEXT NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE,
    number          INTEGER NOT NULL,
    started         TEXT NOT NULL,
    ended           TEXT,                         -- NULL: running, or killed
    requests        INTEGER NOT NULL DEFAULT 0,
    tokens          INTEGER NOT NULL DEFAULT 0,
    usd             REAL NOT NULL DEFAULT 0,
    seconds         REAL NOT NULL DEFAULT 0,
    compile_seconds REAL NOT NULL DEFAULT 0,
    run_seconds     REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (campaign, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE steps (
    campaign TEXT NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE,
    seq      INTEGER NOT NULL,
    key      TEXT NOT NULL,
    kind     TEXT NOT NULL,                       -- type of the payload, e.g. Refusal
    payload  TEXT NOT NULL,                       -- JSON
    at       TEXT NOT NULL,
    PRIMARY KEY (campaign, seq),
    UNIQUE (campaign, key)
) STRICT;

CREATE TABLE pairs (
    campaign TEXT NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE,
    label    TEXT NOT NULL,                       -- of the comparison
    number   INTEGER NOT NULL,                    -- from 0, in the order of timing
    kind     TEXT NOT NULL,
    payload  TEXT NOT NULL,                       -- JSON
    at       TEXT NOT NULL,
    PRIMARY KEY (campaign, label, number)
) STRICT, WITHOUT ROWID;
