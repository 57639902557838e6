-- What SLOs in shadow would have told: the events of the incidents that they would have had, in the shapes of incident_events, and nothing that is owed.
-- Entries are added and never changed. One that is there already is left alone: no record of a shadow refuses the commit that holds a page.

CREATE TABLE shadow_events (
    tenant   TEXT    NOT NULL,
    incident TEXT    NOT NULL,
    seq      INTEGER NOT NULL CHECK (seq >= 1),
    at       INTEGER NOT NULL,
    fault    TEXT    NOT NULL,
    ordinal  INTEGER NOT NULL CHECK (ordinal >= 1),
    phase    TEXT    NOT NULL,
    data     TEXT    NOT NULL,
    PRIMARY KEY (tenant, incident, seq)
) STRICT;

CREATE INDEX shadow_events_by_age ON shadow_events (tenant, at);

CREATE TRIGGER shadow_events_stay BEFORE UPDATE ON shadow_events
BEGIN SELECT raise(ABORT, 'an event is never changed'); END;
CREATE TRIGGER shadow_events_last BEFORE DELETE ON shadow_events
BEGIN SELECT raise(ABORT, 'an event is never deleted'); END;
