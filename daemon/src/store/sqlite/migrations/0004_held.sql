-- Versions of SLOs that run on because their alerts hold, although their files say something else or are gone: a restart goes on with them.

CREATE TABLE held_definitions (
    tenant  TEXT NOT NULL,
    service TEXT NOT NULL,
    slo     TEXT NOT NULL,
    path    TEXT NOT NULL,
    version TEXT NOT NULL,
    PRIMARY KEY (tenant, service, slo),
    FOREIGN KEY (tenant, path, version) REFERENCES definition_versions (tenant, path, version)
) STRICT, WITHOUT ROWID;
