-- Reports by schedule go out through the outbox like everything else: a message is of an incident, or it is a report. The column report holds JSON in
-- the shape of store/rows.

CREATE TABLE outbox_of_both (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant           TEXT    NOT NULL,
    page             TEXT    NOT NULL,
    incident         TEXT,
    report           TEXT,
    recipient        TEXT    NOT NULL,
    kind             TEXT    NOT NULL CHECK (kind IN ('root', 'again', 'direct', 'thread', 'edit', 'report')),
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
    CHECK ((kind = 'thread') = (seq IS NOT NULL)),
    CHECK ((kind = 'report') = (report IS NOT NULL)),
    CHECK ((kind = 'report') = (incident IS NULL))
) STRICT;

INSERT INTO outbox_of_both (id, tenant, page, incident, recipient, kind, seq, broadcast, is_page, state, due, decided_at, attempts, ambiguous, renewed,
                            first_attempt_at, last_error, channel, ts, ended_at)
SELECT id, tenant, page, incident, recipient, kind, seq, broadcast, is_page, state, due, decided_at, attempts, ambiguous, renewed,
       first_attempt_at, last_error, channel, ts, ended_at
FROM outbox ORDER BY id;

DROP TABLE outbox;
ALTER TABLE outbox_of_both RENAME TO outbox;

CREATE INDEX outbox_owed ON outbox (is_page DESC, due, id) WHERE state = 'owed';
CREATE INDEX outbox_next ON outbox (due) WHERE state = 'owed';
CREATE INDEX outbox_undelivered ON outbox (is_page, state, decided_at) WHERE state <> 'delivered';
CREATE INDEX outbox_of_incident ON outbox (tenant, incident);
CREATE INDEX outbox_ended ON outbox (is_page, ended_at) WHERE state IN ('delivered', 'dropped');

-- When each report of burnward.yaml fires next. The report is named by what it is: whose, when, where to.
CREATE TABLE report_timers (
    tenant TEXT    NOT NULL,
    report TEXT    NOT NULL,
    due    INTEGER NOT NULL,
    PRIMARY KEY (tenant, report)
) STRICT, WITHOUT ROWID;
