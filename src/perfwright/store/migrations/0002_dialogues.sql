-- What was asked of models and what they answered.

CREATE TABLE dialogues (
    campaign TEXT NOT NULL REFERENCES campaigns (id) ON DELETE CASCADE,
    number   INTEGER NOT NULL,                    -- from 0, in order
    role     TEXT NOT NULL,
    request  TEXT NOT NULL,                       -- JSON
    answer   TEXT NOT NULL,                       -- JSON
    tokens   INTEGER NOT NULL,
    usd      REAL NOT NULL,
    at       TEXT NOT NULL,
    PRIMARY KEY (campaign, number)
) STRICT, WITHOUT ROWID;
