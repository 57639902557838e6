-- What a second reading of a source begins with: the memory at its seal, and what was booked before where it was sampled since.

CREATE TABLE seals (
    tenant TEXT NOT NULL,
    source TEXT NOT NULL,
    seal   BLOB,
    log    BLOB,
    PRIMARY KEY (tenant, source)
) STRICT;

-- What samples that came late changed. Entries are added and never changed; they are in the rounds, too, so that every sum holds them.

CREATE TABLE late (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT    NOT NULL,
    source TEXT    NOT NULL,
    at     INTEGER NOT NULL,
    blob   BLOB    NOT NULL
) STRICT;

CREATE INDEX late_by_time ON late (tenant, source, at);

CREATE TRIGGER late_stays BEFORE UPDATE ON late
BEGIN SELECT raise(ABORT, 'what came late is never changed'); END;
