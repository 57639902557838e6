-- What people took out of budgets, and took back. Entries are added and never changed. The column data holds JSON in the shape of store/rows.

CREATE TABLE corrections (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant    TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    exclusion INTEGER NOT NULL CHECK (exclusion >= 1),
    kind      TEXT    NOT NULL CHECK (kind IN ('excluded', 'withdrawn')),
    data      TEXT    NOT NULL,
    UNIQUE (tenant, exclusion, kind)
) STRICT;

CREATE TRIGGER corrections_stay BEFORE UPDATE ON corrections
BEGIN SELECT raise(ABORT, 'a correction is never changed'); END;
CREATE TRIGGER corrections_last BEFORE DELETE ON corrections
BEGIN SELECT raise(ABORT, 'a correction is never deleted'); END;

-- Only what was recorded can be taken back.
CREATE TRIGGER corrections_follow BEFORE INSERT ON corrections
WHEN NEW.kind = 'withdrawn'
    AND NOT EXISTS (SELECT 1 FROM corrections WHERE tenant = NEW.tenant AND exclusion = NEW.exclusion AND kind = 'excluded')
BEGIN SELECT raise(ABORT, 'there is no such exclusion to withdraw'); END;
