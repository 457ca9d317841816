-- Schema 1, run as one transaction with the later ones. Rows are only ever added; the triggers stop mistakes, the hash chain shows what gets past them.
CREATE TABLE IF NOT EXISTS consultations (
    id      TEXT    NOT NULL PRIMARY KEY,
    started TEXT    NOT NULL,
    schema  INTEGER NOT NULL,
    events  INTEGER NOT NULL,  -- how many there are, so that events cut from the end are missed
    head    TEXT    NOT NULL   -- hash of the last one; before the first, the opening of the chain
);

CREATE TABLE IF NOT EXISTS events (
    consultation TEXT    NOT NULL REFERENCES consultations (id),
    seq          INTEGER NOT NULL,
    time         TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    body         TEXT    NOT NULL,
    previous     TEXT    NOT NULL,
    hash         TEXT    NOT NULL,
    PRIMARY KEY (consultation, seq)
);

-- The list of consultations reads these two kinds only.
CREATE INDEX IF NOT EXISTS landmarks ON events (consultation, seq) WHERE kind IN ('case', 'finished');

CREATE TRIGGER IF NOT EXISTS events_follow BEFORE INSERT ON events
WHEN NOT EXISTS (
    SELECT 1 FROM consultations
    WHERE id = NEW.consultation AND events = NEW.seq AND head = NEW.previous
)
BEGIN SELECT RAISE(ABORT, 'an event may only follow the last one'); END;

CREATE TRIGGER IF NOT EXISTS events_are_counted AFTER INSERT ON events
BEGIN UPDATE consultations SET events = NEW.seq + 1, head = NEW.hash WHERE id = NEW.consultation; END;

CREATE TRIGGER IF NOT EXISTS events_stay_as_written BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;

CREATE TRIGGER IF NOT EXISTS events_are_kept BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;

CREATE TRIGGER IF NOT EXISTS consultations_begin_once BEFORE INSERT ON consultations
WHEN NEW.events <> 0 OR EXISTS (SELECT 1 FROM consultations WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'a consultation begins once, without events'); END;

CREATE TRIGGER IF NOT EXISTS consultations_only_grow BEFORE UPDATE ON consultations
WHEN NEW.id <> OLD.id OR NEW.started <> OLD.started OR NEW.schema <> OLD.schema
    OR NOT EXISTS (
        SELECT 1 FROM events
        WHERE consultation = OLD.id AND seq = OLD.events AND previous = OLD.head
            AND NEW.events = seq + 1 AND NEW.head = hash
    )
BEGIN SELECT RAISE(ABORT, 'a consultation changes only by its next event'); END;

CREATE TRIGGER IF NOT EXISTS consultations_are_kept BEFORE DELETE ON consultations
BEGIN SELECT RAISE(ABORT, 'consultations are never deleted'); END;

PRAGMA application_id = 0x4D436F52;
PRAGMA user_version = 1;
