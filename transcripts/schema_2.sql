-- Schema 2: signed checkpoints. A checkpoint signs the head of every consultation that grew since the one before.
CREATE TABLE IF NOT EXISTS checkpoints (
    number    INTEGER NOT NULL PRIMARY KEY,
    content   TEXT    NOT NULL,  -- canonical JSON, exactly the bytes that are signed
    signature TEXT    NOT NULL
);

CREATE TABLE IF NOT EXISTS signed_heads (
    checkpoint   INTEGER NOT NULL REFERENCES checkpoints (number),
    consultation TEXT    NOT NULL REFERENCES consultations (id),
    events       INTEGER NOT NULL,  -- how many there were
    head         TEXT    NOT NULL,  -- hash of the last of them
    PRIMARY KEY (checkpoint, consultation)
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS signatures_of_a_consultation ON signed_heads (consultation, events);

CREATE TRIGGER IF NOT EXISTS checkpoints_follow BEFORE INSERT ON checkpoints
WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM checkpoints)
BEGIN SELECT RAISE(ABORT, 'a checkpoint may only follow the last one'); END;

CREATE TRIGGER IF NOT EXISTS checkpoints_stay_as_written BEFORE UPDATE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints are never changed'); END;

CREATE TRIGGER IF NOT EXISTS checkpoints_are_kept BEFORE DELETE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'checkpoints are never deleted'); END;

CREATE TRIGGER IF NOT EXISTS heads_are_signed_once BEFORE INSERT ON signed_heads
WHEN NEW.checkpoint <> (SELECT max(number) FROM checkpoints)
    OR EXISTS (SELECT 1 FROM signed_heads WHERE checkpoint = NEW.checkpoint AND consultation = NEW.consultation)
BEGIN SELECT RAISE(ABORT, 'a head is signed once in the newest checkpoint'); END;

CREATE TRIGGER IF NOT EXISTS signed_heads_stay_as_written BEFORE UPDATE ON signed_heads
BEGIN SELECT RAISE(ABORT, 'signed heads are never changed'); END;

CREATE TRIGGER IF NOT EXISTS signed_heads_are_kept BEFORE DELETE ON signed_heads
BEGIN SELECT RAISE(ABORT, 'signed heads are never deleted'); END;

PRAGMA user_version = 2;
