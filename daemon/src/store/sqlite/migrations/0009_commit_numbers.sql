-- The number of each tenant's last commit, so that one that is tried again is not booked twice.

CREATE TABLE last_commits (
    tenant TEXT    NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL,
    -- 0: all of it.
    part   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
