"""What need not be kept any longer is erased and really gone; that it was there, and who erased it, stays proved."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.transcripts.conftest import BOTH, Alter, Place
from transcripts.access import Access, OwnerPolicy
from transcripts.consultation import Status
from transcripts.errors import ContentErased, ErasureRefused, TranscriptAltered, TranscriptUnwritable
from transcripts.event import EventKind, canonical, content_text, text_digest
from transcripts.keys import KeyRing
from transcripts.seal import Seal
from transcripts.show import playback
from transcripts.store import TranscriptStore

WORD = "fingerspitzengefuehl"
LATER = datetime(2046, 1, 1, tzinfo=UTC)


@pytest.fixture
def kept(place: Place, ring: KeyRing, copy: Path) -> TranscriptStore:
    """A signed record with nothing in it, opened on behalf of someone who may do everything."""
    return place.open(seal=Seal(ring, copy)).by(Access(OwnerPolicy("engineer"), "engineer", lambda _: "p_01"))


def consult(store: TranscriptStore, text: str = WORD) -> str:
    with store.begin() as recorder:
        recorder.record(EventKind.CASE, {"text": f"{text} " * 300, "language": "de"})
        with recorder.stream("local clinician") as stream:
            stream.add(text)
        recorder.record(EventKind.ANSWER, {"text": text})
    return recorder.consultation_id


@BOTH
def test_the_hashes_of_what_was_erased_are_kept_and_proved(kept: TranscriptStore, ring: KeyRing) -> None:
    with kept:
        consultation, other = consult(kept), consult(kept)
        before = [(event.seq, event.time, event.kind, event.hash) for event in kept.events(consultation)]

        kept.erase(consultation, reason="kept for 10 years")

        *erased, last = kept.events(consultation)
        assert [(event.seq, event.time, event.kind, event.hash) for event in erased] == before
        assert all(event.erased and event.body == {} for event in erased)
        verified = kept.verify(consultation, ring.public)
        assert verified.erased
        said = (verified.erased.seq, verified.erased.time, verified.erased.by, verified.erased.reason)
        assert said == (4, last.time, "p_01", "kept for 10 years")
        assert (verified.events, verified.signed) == (5, 5)
        assert kept.verify(other, ring.public).erased is None


@BOTH
def test_the_whole_record_and_its_second_copy_agree_with_an_erasure(
    place: Place, kept: TranscriptStore, ring: KeyRing, copy: Path
) -> None:
    with kept:
        consultation = consult(kept)
        consult(kept)
        kept.erase(consultation, reason="kept for 10 years")

    with place.open(read_only=True) as auditor:
        audit = auditor.verify_all(ring.public, copy)

    assert (audit.consultations, audit.events, audit.erased, audit.unsigned, audit.copy_lacks) == (2, 9, 4, 0, 0)


def test_no_byte_of_the_text_stays_in_the_file_or_its_log(kept: TranscriptStore, path: Path) -> None:
    with kept:
        consultation = consult(kept)
        consult(kept, "bystander")
        kept.erase(consultation, reason="kept for 10 years")

        assert kept.scrub()

        files = [file for file in path.parent.iterdir() if file.is_file()]
        assert [file.name for file in files if WORD.encode() in file.read_bytes()] == []
        assert b"bystander" in b"".join(file.read_bytes() for file in files)


def test_a_file_that_was_written_anew_is_still_proved_and_signed(
    kept: TranscriptStore, path: Path, ring: KeyRing, copy: Path
) -> None:
    with kept:
        consultation = consult(kept)
        kept.erase(consultation, reason="kept for 10 years")
        kept.scrub()
        following = consult(kept)
        assert kept.verify(following, ring.public).signed == 4

    with TranscriptStore.open(path, read_only=True) as auditor:
        assert auditor.verify_all(ring.public, copy).unsigned == 0


@BOTH
@pytest.mark.parametrize(
    ("sql", "seq", "difference"),
    [
        (
            "UPDATE events SET time = replace(time, '2', '3') WHERE seq = 1",
            1,
            "no longer be read|hash the erasure kept",
        ),
        ("UPDATE events SET kind = 'prompt' WHERE seq = 2", 2, "hash the erasure kept"),
        ("UPDATE events SET hash = previous WHERE seq = 2", 2, "hash the erasure kept"),
        ("UPDATE events SET previous = hash WHERE seq = 2", 2, "hash the erasure kept"),
        ("DELETE FROM events WHERE seq = 1", 1, "missing"),
        ('UPDATE events SET body = \'{"text":"90 mg"}\' WHERE seq = 2', 2, "no longer gives its hash"),
        ("UPDATE events SET body = replace(body, 'p_01', 'p_02') WHERE seq = 4", 4, "no longer gives its hash"),
        ("UPDATE events SET body = '' WHERE seq = 4", 4, "no signed erasure"),
        ("DELETE FROM events WHERE seq = 4", 0, "no signed erasure"),
    ],
)
def test_what_an_erasure_left_cannot_be_altered(
    kept: TranscriptStore, alter: Alter, sql: str, seq: int, difference: str
) -> None:
    with kept:
        consultation = consult(kept)
        kept.erase(consultation, reason="kept for 10 years")
        alter(sql)

        with pytest.raises(TranscriptAltered, match=difference) as caught:
            kept.verify(consultation)

    assert (caught.value.consultation, caught.value.seq) == (consultation, seq)


@BOTH
def test_a_deletion_cannot_be_passed_off_as_an_erasure(kept: TranscriptStore, alter: Alter) -> None:
    with kept:
        consultation = consult(kept)
        alter("UPDATE events SET body = '' WHERE seq = 2")

        with pytest.raises(TranscriptAltered, match="no signed erasure") as caught:
            kept.verify(consultation)

    assert caught.value.seq == 2


@BOTH
def test_an_erasure_that_the_product_did_not_make_is_never_signed(
    kept: TranscriptStore, alter: Alter, ring: KeyRing
) -> None:
    with kept:
        consultation = consult(kept)
        erased, other = consult(kept), consult(kept)
        genuine = kept.erase(erased, reason="kept for 10 years")
        *_, last = kept.events(consultation)
        time, body = genuine.model_dump(mode="json")["time"], canonical(genuine.body)
        hash_ = text_digest(content_text(consultation, 4, time, "erased", body, last.hash))
        alter(
            f"UPDATE events SET body = '' WHERE consultation = '{consultation}';"
            "INSERT INTO events (consultation, seq, time, kind, body, previous, hash)"
            f" VALUES ('{consultation}', 4, '{time}', 'erased', '{body}', '{last.hash}', '{hash_}');"
            f"UPDATE consultations SET events = 5, head = '{hash_}' WHERE id = '{consultation}'"
        )
        kept.annotate(other, EventKind.VIEWED, {})
        kept.sign()

        with pytest.raises(TranscriptAltered, match=r"hash the erasure kept|every erasure has"):
            kept.verify(consultation, ring.public)


@BOTH
def test_a_consultation_under_a_legal_hold_is_not_erased_until_it_is_released(kept: TranscriptStore) -> None:
    with kept:
        consultation = consult(kept)
        kept.annotate(consultation, EventKind.HELD, {"reason": "complaint 7"})
        with pytest.raises(ErasureRefused, match="legal hold"):
            kept.erase(consultation, reason="kept for 10 years")
        assert [old.kept for old in kept.old(LATER)] == ["it is under a legal hold; release it first"]

        kept.annotate(consultation, EventKind.RELEASED, {})
        kept.erase(consultation, reason="kept for 10 years")

        assert kept.consultations()[0].status is Status.ERASED


@BOTH
def test_a_running_consultation_is_not_erased(kept: TranscriptStore) -> None:
    with kept, kept.begin() as recorder:
        recorder.record(EventKind.CASE, {"text": WORD})

        with pytest.raises(ErasureRefused, match="still being written"):
            kept.erase(recorder.consultation_id, reason="kept for 10 years")

        assert [old.kept for old in kept.old(LATER)] == ["it is still being written"]


@BOTH
def test_an_altered_consultation_is_evidence_and_not_erased(kept: TranscriptStore, alter: Alter) -> None:
    with kept:
        consultation = consult(kept)
        alter("UPDATE events SET body = '{}' WHERE seq = 2")

        with pytest.raises(TranscriptAltered):
            kept.erase(consultation, reason="kept for 10 years")

        assert WORD in json.dumps(next(kept.events(consultation)).body)


def test_without_the_keys_nothing_is_erased(store: TranscriptStore) -> None:
    consultation = consult(store)

    with pytest.raises(ErasureRefused, match="without the keys"):
        store.erase(consultation, reason="kept for 10 years")


def test_nothing_is_erased_twice(kept: TranscriptStore) -> None:
    with kept:
        consultation = consult(kept)
        kept.erase(consultation, reason="kept for 10 years")

        with pytest.raises(ErasureRefused, match="erased already"):
            kept.erase(consultation, reason="kept for 10 years")


@BOTH
def test_only_what_was_begun_before_is_old(kept: TranscriptStore) -> None:
    with kept:
        first, second = consult(kept), consult(kept)
        started = kept.consultations()[0].started

        assert [old.consultation for old in kept.old(started)] == [first]
        assert [old.consultation for old in kept.old(started + timedelta(seconds=1))] == [first, second]


def test_an_erased_consultation_is_listed_shown_and_not_exported(kept: TranscriptStore) -> None:
    with kept:
        consultation = consult(kept)
        kept.erase(consultation, reason="kept for 10 years")

        (summary,) = kept.consultations()
        assert (summary.status, summary.case, summary.language) == (Status.ERASED, "", "")
        assert [line.text for line in playback(kept.events(consultation))][:4] == ["(erased)"] * 4
        with pytest.raises(ContentErased):
            list(kept.export(consultation))


def test_a_text_can_be_erased_only_by_an_erasing_event(kept: TranscriptStore, path: Path) -> None:
    with kept:
        consult(kept)
        with closing(sqlite3.connect(path)) as raw, pytest.raises(sqlite3.IntegrityError, match="never changed"):
            raw.execute("UPDATE events SET body = ''")


def test_a_reader_keeps_the_file_from_being_scrubbed_and_is_named(path: Path, ring: KeyRing) -> None:
    with TranscriptStore.open(path, patience=0.05, seal=Seal(ring)) as store:
        consultation = consult(store)
        with TranscriptStore.open(path, read_only=True) as reader:
            lines = reader.export(consultation)
            next(lines)  # a snapshot is open now
            store.erase(consultation, reason="kept for 10 years")
            with pytest.raises(TranscriptUnwritable, match="locked"):
                store.scrub()
            assert len(list(lines)) > 0

        assert store.scrub()
