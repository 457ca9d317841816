"""What is written is signed, and whoever has only the file and the public key finds every alteration of it."""

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.transcripts.conftest import Alter
from transcripts.consultation import new_id
from transcripts.errors import (
    CheckpointAltered,
    EventRefused,
    SigningKeyUnusable,
    TranscriptAltered,
    TranscriptUnwritable,
)
from transcripts.event import SCHEMA, Event, EventKind, canonical, content_text, opening, text_digest
from transcripts.keys import KeyRing, SigningKey
from transcripts.seal import Seal
from transcripts.store import TranscriptStore

DOSES = ("5 mg", "10 mg", "20 mg", "40 mg")


def consult(store: TranscriptStore) -> str:
    with store.begin() as recorder:
        for dose in DOSES:
            recorder.record(EventKind.ANSWER, {"text": dose})
    return recorder.consultation_id


def checkpoints(path: Path) -> int:
    with closing(sqlite3.connect(path)) as raw:
        (count,) = raw.execute("SELECT count(*) FROM checkpoints").fetchone()
    return int(count)


def rewrite(path: Path, alter: Alter, consultation: str, start: int) -> None:
    """Write every event from `start` on anew with another dose, as someone can who holds the file but no key."""
    with TranscriptStore.open(path, read_only=True) as store:
        events = list(store.events(consultation))
    sql, head = "", events[start].previous
    for event in events[start:]:
        body = {"text": "90 mg"} if event.kind is EventKind.ANSWER else event.body
        forged = Event.following(consultation, event.seq, head, time=event.time, kind=event.kind, body=body)
        head = forged.hash
        sql += f"UPDATE events SET body = '{canonical(body)}', previous = '{forged.previous}', hash = '{head}'"
        sql += f" WHERE consultation = '{consultation}' AND seq = {event.seq};"
    alter(f"{sql} UPDATE consultations SET head = '{head}' WHERE id = '{consultation}'")


def forge(path: Path) -> str:
    """Put a whole consultation into the file that never was, in a way that its triggers allow."""
    started, body, end = "2026-11-22T12:00:00.000000Z", '{"text":"fever"}', '{"status":"finished"}'
    consultation = new_id(datetime.now(UTC))
    first = opening(consultation, started, SCHEMA)
    one = text_digest(content_text(consultation, 0, started, "case", body, first))
    two = text_digest(content_text(consultation, 1, started, "finished", end, one))
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript(
            f"INSERT INTO consultations VALUES ('{consultation}', '{started}', {SCHEMA}, 0, '{first}');"
            f"INSERT INTO events VALUES ('{consultation}', 0, '{started}', 'case', '{body}', '{first}', '{one}');"
            f"INSERT INTO events VALUES ('{consultation}', 1, '{started}', 'finished', '{end}', '{one}', '{two}');"
        )
    return consultation


def test_the_end_of_a_consultation_is_signed_with_it(signed: TranscriptStore, path: Path) -> None:
    before = checkpoints(path)

    consultation = consult(signed)

    assert checkpoints(path) == before + 1
    assert signed.verify(consultation).signed == len(DOSES) + 1


def test_what_follows_the_end_is_signed_when_the_file_is_closed(path: Path, ring: KeyRing) -> None:
    with TranscriptStore.open(path, seal=Seal(ring)) as store:
        consultation = consult(store)
        store.annotate(consultation, EventKind.VIEWED, {"by": "auditor"})
        assert store.verify(consultation).signed == len(DOSES) + 1

    with TranscriptStore.open(path, read_only=True) as store:
        assert store.verify(consultation, ring.public).signed == len(DOSES) + 2


def test_a_running_consultation_is_signed_on_schedule(path: Path, ring: KeyRing) -> None:
    now = [0.0]
    with TranscriptStore.open(path, seal=Seal(ring, every=60, clock=lambda: now[0])) as store:
        recorder = store.begin()
        recorder.record(EventKind.CASE, {"text": "fever"})
        now[0] = 59.0
        recorder.record(EventKind.PROMPT, {"text": "a"})
        assert store.verify(recorder.consultation_id).signed == 0

        now[0] = 60.0
        recorder.record(EventKind.PROMPT, {"text": "b"})

        assert store.verify(recorder.consultation_id).signed == 3


def test_the_whole_file_is_proved_with_the_public_key_alone(signed: TranscriptStore, path: Path, ring: KeyRing) -> None:
    for _ in range(3):
        consult(signed)

    with TranscriptStore.open(path, read_only=True) as auditor:
        audit = auditor.verify_all(ring.public)

    assert (audit.consultations, audit.events, audit.unsigned) == (3, 15, 0)
    assert audit.checkpoints == checkpoints(path)


def test_what_was_written_without_keys_is_signed_when_the_file_is_opened_with_them(path: Path, ring: KeyRing) -> None:
    with TranscriptStore.open(path) as unsigned:
        consultation = consult(unsigned)

    with TranscriptStore.open(path, seal=Seal(ring)) as store:
        assert store.verify(consultation).signed == len(DOSES) + 1


@pytest.mark.parametrize("start", [0, 2, 4])
def test_a_rewritten_chain_is_found(
    signed: TranscriptStore, path: Path, alter: Alter, ring: KeyRing, start: int
) -> None:
    consultation = consult(signed)
    consult(signed)
    rewrite(path, alter, consultation, min(start, 3))

    for verify in (lambda: signed.verify(consultation), lambda: signed.verify_all(ring.public)):
        with pytest.raises(TranscriptAltered, match=r"checkpoint 2 signs \(events 0 to 4 were") as caught:
            verify()
        assert (caught.value.consultation, caught.value.seq) == (consultation, 4)


def test_the_last_good_checkpoint_narrows_what_was_rewritten(signed: TranscriptStore, path: Path, alter: Alter) -> None:
    with signed.begin() as recorder:
        for dose in DOSES:
            recorder.record(EventKind.ANSWER, {"text": dose})
            signed.sign()
    rewrite(path, alter, recorder.consultation_id, 2)

    with pytest.raises(TranscriptAltered, match="it was written anew") as caught:
        signed.verify(recorder.consultation_id)

    assert caught.value.seq == 2


def test_events_cut_from_the_end_are_missed(signed: TranscriptStore, alter: Alter) -> None:
    consultation = consult(signed)
    alter(
        "DELETE FROM events WHERE seq >= 3;"
        "UPDATE consultations SET events = 3, head = (SELECT hash FROM events WHERE seq = 2)"
    )

    with pytest.raises(TranscriptAltered, match="checkpoint 2 signs 5 events") as caught:
        signed.verify(consultation)

    assert (caught.value.consultation, caught.value.seq) == (consultation, 3)


def test_a_consultation_taken_out_as_a_whole_is_missed(signed: TranscriptStore, alter: Alter) -> None:
    consultation = consult(signed)
    consult(signed)
    alter(
        f"DELETE FROM events WHERE consultation = '{consultation}';"
        f"DELETE FROM consultations WHERE id = '{consultation}';"
    )

    with pytest.raises(TranscriptAltered, match="its consultation is missing") as caught:
        signed.verify_all()

    assert (caught.value.consultation, caught.value.seq) == (consultation, 0)


def test_events_without_their_consultation_are_found(store: TranscriptStore, alter: Alter) -> None:
    consultation = consult(store)
    alter("DELETE FROM consultations")

    with pytest.raises(TranscriptAltered, match="its consultation is missing") as caught:
        store.verify_all()

    assert caught.value.consultation == consultation


@pytest.mark.parametrize(
    ("sql", "number", "difference"),
    [
        (
            "UPDATE checkpoints SET signature = replace(signature, 'a', 'b') WHERE number = 2",
            2,
            "signature is not over",
        ),
        ("UPDATE checkpoints SET content = '{}' WHERE number = 2", 2, "no longer be read"),
        ("UPDATE checkpoints SET content = replace(content, ',', ', ') WHERE number = 3", 3, "signature is not over"),
        (
            "UPDATE checkpoints SET content = replace(content, '\"events\":5', '\"events\":6')",
            2,
            "signature is not over",
        ),
        ("DELETE FROM checkpoints WHERE number = 2", 2, "missing, and checkpoint 3"),
        ("DELETE FROM checkpoints; DELETE FROM signed_heads", 1, "nothing in this file is signed"),
        ("PRAGMA user_version = 1", 1, "nothing in this file is signed"),
        (
            "INSERT INTO signed_heads SELECT 1, consultation, 3, hash FROM events WHERE seq = 2 LIMIT 1",
            1,
            "heads stored with it",
        ),
    ],
)
def test_an_altered_checkpoint_is_found_and_named(
    path: Path, ring: KeyRing, alter: Alter, sql: str, number: int, difference: str
) -> None:
    with TranscriptStore.open(path, seal=Seal(ring)) as store:
        for _ in range(3):
            consult(store)
    alter(sql)

    with (
        TranscriptStore.open(path, read_only=True) as auditor,
        pytest.raises(CheckpointAltered, match=difference) as caught,
    ):
        auditor.verify_all(ring.public)

    assert caught.value.number == number


def test_a_file_signed_anew_by_someone_else_is_found(path: Path, ring: KeyRing, tmp_path: Path) -> None:
    with TranscriptStore.open(path, seal=Seal(KeyRing(tmp_path / "intruder"))) as store:
        consultation = consult(store)

    keys = frozenset((ring.signing.public,))
    with TranscriptStore.open(path, read_only=True) as auditor:
        for verify in (lambda: auditor.verify(consultation, keys), lambda: auditor.verify_all(keys)):
            with pytest.raises(CheckpointAltered, match="which is not known"):
                verify()


def test_a_consultation_that_never_was_is_not_signed_with_the_others(path: Path, ring: KeyRing) -> None:
    with TranscriptStore.open(path, seal=Seal(ring)) as store:
        consult(store)
    forged = forge(path)

    with TranscriptStore.open(path, seal=Seal(ring)) as store:
        consult(store)
        store.annotate(forged, EventKind.VIEWED, {"by": "auditor"})
        consult(store)

    with (
        TranscriptStore.open(path, read_only=True) as auditor,
        pytest.raises(TranscriptAltered, match="without the signature that every end has") as caught,
    ):
        auditor.verify_all(ring.public)

    assert (caught.value.consultation, caught.value.seq) == (forged, 1)


def test_a_file_put_back_to_an_earlier_state_is_found_by_the_second_copy(
    path: Path, ring: KeyRing, copy: Path, tmp_path: Path
) -> None:
    with TranscriptStore.open(path, seal=Seal(ring, copy)) as store:
        consult(store)
    shutil.copy(path, tmp_path / "earlier")
    with TranscriptStore.open(path, seal=Seal(ring, copy)) as store:
        later = consult(store)
    shutil.copy(tmp_path / "earlier", path)

    with TranscriptStore.open(path, read_only=True) as auditor:
        assert auditor.verify_all(ring.public).consultations == 1
        with pytest.raises(TranscriptAltered, match="of the second copy signs 5 events") as caught:
            auditor.verify_all(ring.public, copy)

    assert (caught.value.consultation, caught.value.seq) == (later, 0)


def test_the_second_copy_has_every_checkpoint(signed: TranscriptStore, ring: KeyRing, copy: Path) -> None:
    for _ in range(3):
        consult(signed)
    signed.close()

    assert signed.verify_all(ring.public, copy).copy_lacks == 0
    assert copy.stat().st_mode & 0o077 == 0


def test_a_second_copy_that_could_not_be_written_catches_up(path: Path, ring: KeyRing, copy: Path) -> None:
    copy.parent.write_text("a file where the folder should be")
    with TranscriptStore.open(path, seal=Seal(ring, copy)) as store:
        consult(store)
    copy.parent.unlink()

    with TranscriptStore.open(path, seal=Seal(ring, copy)) as store:
        consult(store)

    with TranscriptStore.open(path, read_only=True) as auditor:
        assert auditor.verify_all(ring.public, copy).copy_lacks == 0


def test_half_a_line_that_a_power_cut_left_is_written_again(path: Path, ring: KeyRing, copy: Path) -> None:
    with TranscriptStore.open(path, seal=Seal(ring, copy)) as store:
        consult(store)
        consult(store)
    content = copy.read_bytes()
    copy.write_bytes(content[:-40])

    with TranscriptStore.open(path, seal=Seal(ring, copy)) as store:
        consult(store)

    with TranscriptStore.open(path, read_only=True) as auditor:
        assert auditor.verify_all(ring.public, copy).copy_lacks == 0


def test_an_altered_second_copy_is_found(path: Path, ring: KeyRing, copy: Path) -> None:
    with TranscriptStore.open(path, seal=Seal(ring, copy)) as store:
        consult(store)
    lines = copy.read_bytes().splitlines(keepends=True)
    forged = lines[-1].replace(b'"signature":"ed25519:', b'"signature":"ed25519:00')

    with TranscriptStore.open(path, read_only=True) as auditor:
        copy.write_bytes(b"{}\n" + lines[-1])
        with pytest.raises(CheckpointAltered, match="missing from the second copy"):
            auditor.verify_all(ring.public, copy)
        copy.write_bytes(lines[0] + forged.replace(b'"events":5', b'"events":6'))
        with pytest.raises(CheckpointAltered, match="which nobody signed"):
            auditor.verify_all(ring.public, copy)
        copy.write_bytes(lines[0] + b"half a li")
        assert auditor.verify_all(ring.public, copy).copy_lacks == 1


def test_what_old_and_new_keys_signed_is_proved_by_either(path: Path, ring: KeyRing) -> None:
    with TranscriptStore.open(path, seal=Seal(ring)) as store:
        consult(store)
        old = ring.signing.public
        new = store.change_key()
        consult(store)

    with TranscriptStore.open(path, read_only=True) as auditor:
        for keys in (frozenset((old,)), frozenset((new,)), ring.public):
            assert auditor.verify_all(keys).unsigned == 0
        with pytest.raises(CheckpointAltered, match="not known"):
            auditor.verify_all(frozenset((SigningKey.make().public,)))


def test_without_keys_there_is_none_to_change(store: TranscriptStore) -> None:
    with pytest.raises(SigningKeyUnusable, match="without keys"):
        store.change_key()


def test_a_case_that_cannot_be_signed_stops(path: Path, ring: KeyRing, alter: Alter) -> None:
    with TranscriptStore.open(path, seal=Seal(ring)) as store:
        recorder = store.begin()
        recorder.record(EventKind.CASE, {"text": "fever"})
        alter("UPDATE checkpoints SET content = '{}'")

        with pytest.raises(TranscriptUnwritable, match="could not be signed"):
            recorder.finish()

        with pytest.raises(TranscriptUnwritable):
            recorder.record(EventKind.ANSWER, {"text": "as if nothing had happened"})


def test_without_its_private_key_the_record_is_not_opened(path: Path, ring: KeyRing) -> None:
    assert ring.signing
    (ring.folder / "record.key").unlink()

    with pytest.raises(SigningKeyUnusable):
        TranscriptStore.open(path, seal=Seal(KeyRing(ring.folder)))


def test_a_refused_event_is_not_signed_either(signed: TranscriptStore) -> None:
    recorder = signed.begin()
    with pytest.raises(EventRefused):
        recorder.record(EventKind.MODEL, {"temperature": float("nan")})
    recorder.finish()

    verified = signed.verify(recorder.consultation_id)

    assert (verified.events, verified.signed) == (1, 1)
