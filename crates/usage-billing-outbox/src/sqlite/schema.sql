-- Version 1. Times are milliseconds since 1970 in UTC; the view `events` shows them as text. Quantities are decimals in the JSON of `body`.
CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    org_id TEXT NOT NULL,
    -- Events before this time were removed, and are not accepted again.
    removed_before INTEGER,
    next_token INTEGER NOT NULL DEFAULT 1,
    enqueued_at INTEGER,
    started_at INTEGER,
    beat_at INTEGER,
    contact_at INTEGER,
    stopped_at INTEGER
) STRICT;

CREATE TABLE entitlement (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- NULL until it is looked up.
    marketplace TEXT,
    window_ms INTEGER,
    failures INTEGER NOT NULL DEFAULT 0,
    retry_at INTEGER
) STRICT;

CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    -- The UUID of the event, 16 bytes.
    key BLOB NOT NULL CHECK (length(key) = 16),
    entitlement INTEGER NOT NULL REFERENCES entitlement (id),
    timestamp INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    -- The exact bytes of every request.
    body TEXT NOT NULL,
    enqueued_at INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'delivered', 'already_delivered', 'rejected', 'expired', 'unknown', 'resolved')),
    attempts INTEGER NOT NULL DEFAULT 0,
    ready_at INTEGER,
    may_have_arrived INTEGER NOT NULL DEFAULT 0,
    may_arrive_until INTEGER,
    lease_token INTEGER,
    lease_since INTEGER,
    lease_until INTEGER,
    settled_at INTEGER,
    message TEXT
) STRICT;

-- Keys are random, so an index of keys alone would change a page of the file for each event. Events of one hour are enqueued together.
CREATE UNIQUE INDEX event_by_time ON event (timestamp, key);
CREATE INDEX event_of_hour ON event (timestamp, entitlement, sequence);
-- Finds an event by its key alone. Keys are random: an index that began with them would change a page of the file for each event.
CREATE INDEX event_by_day ON event (timestamp / 86400000, key);
-- The order of sending. Final events are not in it. Events that are not due are skipped without reading their rows.
CREATE INDEX event_open ON event (deadline, id, ready_at, entitlement) WHERE state IN ('pending', 'sending', 'unknown');
-- Also the order of the probes of an entitlement that fails.
CREATE INDEX event_open_by_entitlement ON event (entitlement, attempts, deadline) WHERE state IN ('pending', 'sending', 'unknown');
CREATE INDEX event_leased ON event (lease_token) WHERE state = 'sending';

-- Numbers of events by state, which every transaction keeps up to date.
CREATE TABLE tally (
    state TEXT PRIMARY KEY,
    events INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The evidence of attempts. Rows are inserted, and removed with their event only.
CREATE TABLE attempt (
    event INTEGER NOT NULL REFERENCES event (id),
    number INTEGER NOT NULL,
    token INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    body_sha256 BLOB NOT NULL CHECK (length(body_sha256) = 32),
    outcome TEXT NOT NULL,
    status INTEGER,
    message TEXT,
    PRIMARY KEY (event, number)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER attempt_is_evidence BEFORE UPDATE ON attempt BEGIN
    SELECT RAISE(ABORT, 'attempts are evidence, and never change');
END;
-- The latest failures, for the status.
CREATE INDEX attempt_failed ON attempt (ended_at) WHERE outcome NOT IN ('delivered', 'already_delivered');

-- Records of metered usage, which hourly reports add up.
CREATE TABLE usage (
    id INTEGER PRIMARY KEY,
    source_id TEXT NOT NULL UNIQUE,
    entitlement INTEGER NOT NULL REFERENCES entitlement (id),
    dimension TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    -- The start of its hour.
    hour INTEGER NOT NULL,
    -- A decimal.
    quantity TEXT NOT NULL,
    -- NULL until a report contains it.
    rolled_up_at INTEGER,
    -- The event that reports it. NULL if nothing was left to report: zero, or a fraction that is carried over.
    event_key BLOB
) STRICT;
CREATE INDEX usage_open ON usage (hour, entitlement) WHERE rolled_up_at IS NULL;
CREATE INDEX usage_rolled_up ON usage (hour) WHERE rolled_up_at IS NOT NULL;

-- Fractions of units that later reports contain.
CREATE TABLE carried (
    entitlement INTEGER NOT NULL REFERENCES entitlement (id),
    dimension TEXT NOT NULL,
    -- A decimal below 1.
    fraction TEXT NOT NULL,
    PRIMARY KEY (entitlement, dimension)
) STRICT, WITHOUT ROWID;

-- The events in a human-readable form.
CREATE VIEW events AS
SELECT
    lower(substr(hex(key), 1, 8) || '-' || substr(hex(key), 9, 4) || '-' || substr(hex(key), 13, 4) || '-' || substr(hex(key), 17, 4) || '-' || substr(hex(key), 21)) AS key,
    entitlement.name AS entitlement,
    strftime('%Y-%m-%dT%H:%M:%SZ', timestamp / 1000, 'unixepoch') AS timestamp,
    sequence,
    json_extract(body, '$.records') AS quantities,
    state,
    attempts,
    strftime('%Y-%m-%dT%H:%M:%SZ', deadline / 1000, 'unixepoch') AS deadline,
    strftime('%Y-%m-%dT%H:%M:%SZ', ready_at / 1000, 'unixepoch') AS ready_at,
    strftime('%Y-%m-%dT%H:%M:%SZ', enqueued_at / 1000, 'unixepoch') AS enqueued_at,
    strftime('%Y-%m-%dT%H:%M:%SZ', settled_at / 1000, 'unixepoch') AS settled_at,
    message
FROM event JOIN entitlement ON entitlement.id = event.entitlement;
