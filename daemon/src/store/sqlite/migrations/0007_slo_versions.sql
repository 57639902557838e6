-- Which version of an SLO ran from when on, by the name that it had. Entries are added and never changed.

CREATE TABLE slo_versions (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant  TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    service TEXT    NOT NULL,
    slo     TEXT    NOT NULL,
    path    TEXT    NOT NULL,
    version TEXT    NOT NULL,
    FOREIGN KEY (tenant, path, version) REFERENCES definition_versions (tenant, path, version)
) STRICT;

CREATE INDEX slo_versions_of_slo ON slo_versions (tenant, service, slo, id);

CREATE TRIGGER slo_versions_stay BEFORE UPDATE ON slo_versions
BEGIN SELECT raise(ABORT, 'that a version ran is never changed'); END;
CREATE TRIGGER slo_versions_last BEFORE DELETE ON slo_versions
BEGIN SELECT raise(ABORT, 'that a version ran is never deleted'); END;
