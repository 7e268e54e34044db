-- A journal as the first version wrote it, killed in its second session.
PRAGMA journal_mode = WAL;
CREATE TABLE migrations (name TEXT PRIMARY KEY, at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP) STRICT;
INSERT INTO migrations (name) VALUES ('0001_first');
CREATE TABLE campaigns (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, program TEXT NOT NULL,
    path TEXT NOT NULL, settings TEXT NOT NULL, toolchain TEXT NOT NULL, sources TEXT NOT NULL,
    seed INTEGER NOT NULL, mind TEXT NOT NULL, version TEXT NOT NULL, started TEXT NOT NULL,
    ended TEXT, status TEXT NOT NULL DEFAULT 'running', cause TEXT NOT NULL DEFAULT '', outcome TEXT
) STRICT;
INSERT INTO campaigns VALUES (1, 'qsort-7f3a2c', 'qsort', 'qsort.c', '{"rounds":3}', 'LLVM 22.1.8',
    '{"qsort.c":"ab"}', 7, 'builtin', '0.1.0', '2030-01-01T00:00:00.000+00:00', NULL, 'running', '',
    NULL);
CREATE TABLE sessions (
    campaign TEXT NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE, number INTEGER NOT NULL,
    started TEXT NOT NULL, ended TEXT, requests INTEGER NOT NULL DEFAULT 0,
    tokens INTEGER NOT NULL DEFAULT 0, usd REAL NOT NULL DEFAULT 0, seconds REAL NOT NULL DEFAULT 0,
    compile_seconds REAL NOT NULL DEFAULT 0, run_seconds REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (campaign, number)
) STRICT, WITHOUT ROWID;
INSERT INTO sessions VALUES
    ('qsort-7f3a2c', 1, '2030-01-01T00:00:00.000+00:00', '2030-01-01T00:00:10.000+00:00',
        0, 0, 0, 10.0, 2.0, 3.0),
    ('qsort-7f3a2c', 2, '2030-01-01T00:01:00.000+00:00', NULL, 0, 0, 0, 2.5, 0.5, 1.5);
CREATE TABLE steps (
    campaign TEXT NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE, seq INTEGER NOT NULL,
    key TEXT NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (campaign, seq), UNIQUE (campaign, key)
) STRICT;
INSERT INTO steps VALUES ('qsort-7f3a2c', 0, 'round 1/may begin', 'bool', 'true',
    '2030-01-01T00:00:05.000+00:00');
CREATE TABLE pairs (
    campaign TEXT NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE, label TEXT NOT NULL,
    number INTEGER NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (campaign, label, number)
) STRICT, WITHOUT ROWID;
