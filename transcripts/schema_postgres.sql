-- Schema 3 for PostgreSQL, run once by the owner of the database. The service may look and add, and nothing else.
CREATE SCHEMA coreasoner;
SET LOCAL search_path = coreasoner, pg_temp;

CREATE TABLE record (schema bigint NOT NULL);
INSERT INTO record VALUES (3);

-- The order of ids is that of their bytes: checkpoints sign in it.
CREATE TABLE consultations (
    id      text COLLATE "C" NOT NULL PRIMARY KEY,
    started text COLLATE "C" NOT NULL,
    schema  bigint NOT NULL,
    events  bigint NOT NULL,
    head    text COLLATE "C" NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE events (
    consultation text COLLATE "C" NOT NULL REFERENCES consultations (id),
    seq          bigint NOT NULL,
    time         text COLLATE "C" NOT NULL,
    kind         text COLLATE "C" NOT NULL,
    body         text COLLATE "C" NOT NULL,
    previous     text COLLATE "C" NOT NULL,
    hash         text COLLATE "C" NOT NULL,
    number       bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    PRIMARY KEY (consultation, seq)
);

CREATE TABLE checkpoints (
    number    bigint NOT NULL PRIMARY KEY,
    content   text COLLATE "C" NOT NULL,
    signature text COLLATE "C" NOT NULL
);

CREATE TABLE signed_heads (
    checkpoint   bigint NOT NULL REFERENCES checkpoints (number),
    consultation text COLLATE "C" NOT NULL REFERENCES consultations (id),
    events       bigint NOT NULL,
    head         text COLLATE "C" NOT NULL,
    PRIMARY KEY (checkpoint, consultation)
);

CREATE INDEX landmarks ON events (consultation, kind, seq)
WHERE kind IN ('case', 'finished', 'erased', 'held', 'released');
CREATE INDEX denials ON events (consultation) WHERE kind = 'denied' AND seq = 0;
CREATE INDEX signatures_of_a_consultation ON signed_heads (consultation, events);

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
END $$;

-- With the rights of the owner: the service itself may change no row.
CREATE FUNCTION follow() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = coreasoner, pg_temp AS $$
BEGIN
    UPDATE consultations SET events = NEW.seq + 1, head = NEW.hash
    WHERE id = NEW.consultation AND events = NEW.seq AND head = NEW.previous;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'an event may only follow the last one' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.kind = 'erased' THEN
        UPDATE events SET body = '' WHERE consultation = NEW.consultation AND seq < NEW.seq;
    END IF;
    RETURN NULL;
END $$;

-- Always in the order of their ids, so that no two servers wait for each other.
CREATE FUNCTION lock_consultations(names text[]) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = coreasoner, pg_temp AS $$
BEGIN
    PERFORM 1 FROM consultations WHERE id = ANY (names) ORDER BY id FOR NO KEY UPDATE;
END $$;
REVOKE EXECUTE ON FUNCTION lock_consultations FROM PUBLIC;

CREATE FUNCTION stay() RETURNS trigger LANGUAGE plpgsql SET search_path = coreasoner, pg_temp AS $$
BEGIN
    IF NEW.body <> ''
        OR (NEW.consultation, NEW.seq, NEW.time, NEW.kind, NEW.previous, NEW.hash, NEW.number)
            IS DISTINCT FROM (OLD.consultation, OLD.seq, OLD.time, OLD.kind, OLD.previous, OLD.hash, OLD.number)
        OR NOT EXISTS (
            SELECT 1 FROM events WHERE consultation = OLD.consultation AND seq > OLD.seq AND kind = 'erased'
        )
    THEN
        RAISE EXCEPTION 'events are never changed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION grow() RETURNS trigger LANGUAGE plpgsql SET search_path = coreasoner, pg_temp AS $$
BEGIN
    IF (NEW.id, NEW.started, NEW.schema) IS DISTINCT FROM (OLD.id, OLD.started, OLD.schema)
        OR NOT EXISTS (
            SELECT 1 FROM events
            WHERE consultation = OLD.id AND seq = OLD.events AND previous = OLD.head
                AND NEW.events = seq + 1 AND NEW.head = hash
        )
    THEN
        RAISE EXCEPTION 'a consultation changes only by its next event'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION number_checkpoint() RETURNS trigger LANGUAGE plpgsql SET search_path = coreasoner, pg_temp AS $$
BEGIN
    IF NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM checkpoints) THEN
        RAISE EXCEPTION 'a checkpoint may only follow the last one' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION sign_newest() RETURNS trigger LANGUAGE plpgsql SET search_path = coreasoner, pg_temp AS $$
BEGIN
    IF NEW.checkpoint <> (SELECT max(number) FROM checkpoints) THEN
        RAISE EXCEPTION 'a head is signed once in the newest checkpoint'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER events_follow AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION follow();
CREATE TRIGGER events_stay_as_written BEFORE UPDATE ON events FOR EACH ROW EXECUTE FUNCTION stay();
CREATE TRIGGER consultations_begin_once BEFORE INSERT ON consultations FOR EACH ROW WHEN (NEW.events <> 0)
EXECUTE FUNCTION refuse('a consultation begins once, without events');
CREATE TRIGGER consultations_only_grow BEFORE UPDATE ON consultations FOR EACH ROW EXECUTE FUNCTION grow();
CREATE TRIGGER checkpoints_follow BEFORE INSERT ON checkpoints FOR EACH ROW EXECUTE FUNCTION number_checkpoint();
CREATE TRIGGER checkpoints_stay BEFORE UPDATE ON checkpoints
EXECUTE FUNCTION refuse('checkpoints are never changed');
CREATE TRIGGER heads_are_signed_once BEFORE INSERT ON signed_heads FOR EACH ROW EXECUTE FUNCTION sign_newest();
CREATE TRIGGER signed_heads_stay BEFORE UPDATE ON signed_heads
EXECUTE FUNCTION refuse('signed heads are never changed');

CREATE TRIGGER events_are_kept BEFORE DELETE OR TRUNCATE ON events
EXECUTE FUNCTION refuse('events are never deleted');
CREATE TRIGGER consultations_are_kept BEFORE DELETE OR TRUNCATE ON consultations
EXECUTE FUNCTION refuse('consultations are never deleted');
CREATE TRIGGER checkpoints_are_kept BEFORE DELETE OR TRUNCATE ON checkpoints
EXECUTE FUNCTION refuse('checkpoints are never deleted');
CREATE TRIGGER signed_heads_are_kept BEFORE DELETE OR TRUNCATE ON signed_heads
EXECUTE FUNCTION refuse('signed heads are never deleted');
