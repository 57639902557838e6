-- SLOs that got another name. What was written down before by the old name is read by the new one. Entries are added and never changed.

CREATE TABLE renames (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant  TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    service TEXT    NOT NULL,
    was     TEXT    NOT NULL,
    slo     TEXT    NOT NULL
) STRICT;

CREATE TRIGGER renames_stay BEFORE UPDATE ON renames
BEGIN SELECT raise(ABORT, 'a rename is never changed'); END;
CREATE TRIGGER renames_last BEFORE DELETE ON renames
BEGIN SELECT raise(ABORT, 'a rename is never deleted'); END;
