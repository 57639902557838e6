-- The store as it begins. Times are milliseconds since the Unix epoch. Columns named data, labels, fault, recipient and slos hold JSON in the
-- shapes of store/rows. An applied migration is never edited: its checksum is kept.

-- What was counted ---------------------------------------------------------------------------------------------------------------------

CREATE TABLE watermarks (
    tenant       TEXT    NOT NULL,
    source       TEXT    NOT NULL,
    settled      INTEGER NOT NULL,
    committed_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, source)
) STRICT, WITHOUT ROWID;

-- Apart from the watermark, so that a round that leaves it alone does not write it again.
CREATE TABLE ledger_states (
    tenant TEXT NOT NULL,
    source TEXT NOT NULL,
    blob   BLOB NOT NULL,
    PRIMARY KEY (tenant, source)
) STRICT;

CREATE TABLE rounds (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant  TEXT    NOT NULL,
    source  TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    blob    BLOB    NOT NULL
) STRICT;

CREATE INDEX rounds_of_source ON rounds (tenant, source, id);

CREATE TABLE segments (
    tenant        TEXT    NOT NULL,
    source        TEXT    NOT NULL,
    day           INTEGER NOT NULL,
    level_seconds INTEGER NOT NULL,
    stream        INTEGER NOT NULL,
    blob          BLOB    NOT NULL,
    PRIMARY KEY (tenant, source, day, level_seconds, stream)
) STRICT;

-- What was decided ---------------------------------------------------------------------------------------------------------------------

CREATE TABLE alerts (
    tenant     TEXT    NOT NULL,
    service    TEXT    NOT NULL,
    slo        TEXT    NOT NULL,
    objective  TEXT    NOT NULL,
    labels     TEXT    NOT NULL,
    page       INTEGER,
    ticket     INTEGER,
    why        TEXT    NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, service, slo, objective, labels)
) STRICT;

CREATE TABLE alert_changes (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant    TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    service   TEXT    NOT NULL,
    slo       TEXT    NOT NULL,
    objective TEXT    NOT NULL,
    labels    TEXT    NOT NULL,
    page      INTEGER,
    ticket    INTEGER,
    why       TEXT    NOT NULL
) STRICT;

CREATE INDEX alert_changes_of_tenant ON alert_changes (tenant, at, id);
CREATE INDEX alert_changes_of_budget ON alert_changes (tenant, service, slo, objective, labels, at, id);

CREATE TABLE incidents (
    tenant      TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    fault       TEXT    NOT NULL,
    ordinal     INTEGER NOT NULL CHECK (ordinal >= 1),
    phase       TEXT    NOT NULL CHECK (phase IN ('open', 'acknowledged', 'resolved')),
    opened_at   INTEGER NOT NULL,
    resolved_at INTEGER,
    last_seq    INTEGER NOT NULL CHECK (last_seq >= 1),
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, fault, ordinal)
) STRICT;

CREATE INDEX incidents_by_age ON incidents (tenant, opened_at);
CREATE INDEX incidents_unresolved ON incidents (tenant) WHERE phase <> 'resolved';
CREATE INDEX incidents_by_end ON incidents (tenant, resolved_at) WHERE phase = 'resolved';

CREATE TABLE incident_events (
    tenant   TEXT    NOT NULL,
    incident TEXT    NOT NULL,
    seq      INTEGER NOT NULL CHECK (seq >= 1),
    at       INTEGER NOT NULL,
    data     TEXT    NOT NULL,
    PRIMARY KEY (tenant, incident, seq),
    FOREIGN KEY (tenant, incident) REFERENCES incidents (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER incident_events_stay BEFORE UPDATE ON incident_events
BEGIN SELECT raise(ABORT, 'an incident''s events are never changed'); END;
CREATE TRIGGER incident_events_last BEFORE DELETE ON incident_events
BEGIN SELECT raise(ABORT, 'an incident''s events are never deleted'); END;

CREATE TABLE audit (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant  TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    actor   TEXT    NOT NULL,
    action  TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    detail  TEXT    NOT NULL
) STRICT;

CREATE INDEX audit_of_tenant ON audit (tenant, id);

CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
BEGIN SELECT raise(ABORT, 'the audit is never changed'); END;
CREATE TRIGGER audit_lasts BEFORE DELETE ON audit
BEGIN SELECT raise(ABORT, 'the audit is never deleted'); END;

-- What is owed -------------------------------------------------------------------------------------------------------------------------

CREATE TABLE outbox (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant           TEXT    NOT NULL,
    page             TEXT    NOT NULL,
    incident         TEXT    NOT NULL,
    recipient        TEXT    NOT NULL,
    kind             TEXT    NOT NULL CHECK (kind IN ('root', 'again', 'direct', 'thread', 'edit')),
    seq              INTEGER,
    broadcast        INTEGER NOT NULL,
    is_page          INTEGER NOT NULL,
    state            TEXT    NOT NULL DEFAULT 'owed' CHECK (state IN ('owed', 'in-flight', 'delivered', 'dropped')),
    due              INTEGER NOT NULL,
    decided_at       INTEGER NOT NULL,
    attempts         INTEGER NOT NULL DEFAULT 0,
    ambiguous        INTEGER NOT NULL DEFAULT 0,
    -- An edit that was asked for again while it was in flight.
    renewed          INTEGER NOT NULL DEFAULT 0,
    first_attempt_at INTEGER,
    last_error       TEXT,
    channel          TEXT,
    ts               TEXT,
    ended_at         INTEGER,
    UNIQUE (tenant, page),
    CHECK ((kind = 'thread') = (seq IS NOT NULL))
) STRICT;

CREATE INDEX outbox_owed ON outbox (is_page DESC, due, id) WHERE state = 'owed';
CREATE INDEX outbox_next ON outbox (due) WHERE state = 'owed';
CREATE INDEX outbox_undelivered ON outbox (is_page, state, decided_at) WHERE state <> 'delivered';
CREATE INDEX outbox_of_incident ON outbox (tenant, incident);
CREATE INDEX outbox_ended ON outbox (is_page, ended_at) WHERE state IN ('delivered', 'dropped');

-- What runs ----------------------------------------------------------------------------------------------------------------------------

CREATE TABLE definition_versions (
    tenant    TEXT    NOT NULL,
    path      TEXT    NOT NULL,
    version   TEXT    NOT NULL,
    text      TEXT    NOT NULL,
    slos      TEXT    NOT NULL,
    loaded_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, path, version)
) STRICT;

CREATE TABLE definitions (
    tenant  TEXT NOT NULL,
    path    TEXT NOT NULL,
    version TEXT NOT NULL,
    PRIMARY KEY (tenant, path),
    FOREIGN KEY (tenant, path, version) REFERENCES definition_versions (tenant, path, version)
) STRICT, WITHOUT ROWID;

-- Of the deployment, not of a tenant ---------------------------------------------------------------------------------------------------

CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE seen (
    key        TEXT    NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX seen_by_expiry ON seen (expires_at);
