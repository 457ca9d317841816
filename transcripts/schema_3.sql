-- Schema 3: the kind `rebuttal`, and content that retention erased. An `erased` event empties the bodies before it; rows and
-- hashes stay.
DROP TRIGGER IF EXISTS events_stay_as_written;

CREATE TRIGGER IF NOT EXISTS events_stay_as_written BEFORE UPDATE ON events
WHEN NEW.body <> '' OR NEW.consultation <> OLD.consultation OR NEW.seq <> OLD.seq OR NEW.time <> OLD.time
    OR NEW.kind <> OLD.kind OR NEW.previous <> OLD.previous OR NEW.hash <> OLD.hash
    OR NOT EXISTS (
        SELECT 1 FROM events WHERE consultation = OLD.consultation AND seq > OLD.seq AND kind = 'erased'
    )
BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;

CREATE TRIGGER IF NOT EXISTS events_are_erased AFTER INSERT ON events WHEN NEW.kind = 'erased'
BEGIN UPDATE events SET body = '' WHERE consultation = NEW.consultation AND seq < NEW.seq; END;

-- What the list of consultations and retention read.
DROP INDEX IF EXISTS landmarks;
CREATE INDEX IF NOT EXISTS landmarks ON events (consultation, kind, seq)
WHERE kind IN ('case', 'finished', 'erased', 'held', 'released');

CREATE INDEX IF NOT EXISTS denials ON events (consultation) WHERE kind = 'denied' AND seq = 0;

PRAGMA user_version = 3;
