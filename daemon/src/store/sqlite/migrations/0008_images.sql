-- What the memory held of some streams, up to a round: a cache of segments and rounds, so that a start need not read them all.

CREATE TABLE images (
    tenant  TEXT    NOT NULL,
    source  TEXT    NOT NULL,
    part    INTEGER NOT NULL,
    through INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    blob    BLOB    NOT NULL,
    PRIMARY KEY (tenant, source, part)
) STRICT;
