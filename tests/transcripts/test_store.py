"""The file takes new events and nothing else, and lists what it holds."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.transcripts.conftest import BOTH, Alter
from transcripts.consultation import Status, is_id, new_id
from transcripts.errors import (
    EventRefused,
    TranscriptAltered,
    TranscriptMissing,
    TranscriptSchemaTooNew,
    TranscriptUnreadable,
    TranscriptUnwritable,
)
from transcripts.event import SCHEMA, EventKind
from transcripts.store import TranscriptStore


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE events SET body = '{}'",
        "UPDATE OR REPLACE events SET seq = 1 WHERE seq = 0",
        "DELETE FROM events",
        "INSERT OR REPLACE INTO events SELECT * FROM events WHERE seq = 0",
        "INSERT INTO events SELECT consultation, 7, time, kind, body, previous, hash FROM events WHERE seq = 1",
        "UPDATE consultations SET events = 1",
        "UPDATE consultations SET started = '2020-01-01T00:00:00.000000Z'",
        "DELETE FROM consultations",
        "INSERT OR REPLACE INTO consultations SELECT id, started, schema, 0, head FROM consultations",
    ],
)
def test_the_file_refuses_to_change_what_was_written(store: TranscriptStore, path: Path, sql: str) -> None:
    with store.begin() as recorder:
        recorder.record(EventKind.CASE, {"text": "chest pain"})
    before = list(store.events(recorder.consultation_id))

    with closing(sqlite3.connect(path)) as raw, pytest.raises(sqlite3.IntegrityError):
        raw.execute(sql)

    assert list(store.events(recorder.consultation_id)) == before
    assert store.verify(recorder.consultation_id).events == 2


def test_ids_sort_by_the_time_they_were_made() -> None:
    start = datetime(2026, 11, 22, tzinfo=UTC)
    times = [start + timedelta(milliseconds=step**3) for step in range(100)]

    ids = [new_id(time) for time in times]

    assert ids == sorted(ids)
    assert all(is_id(made) for made in ids)


@BOTH
def test_the_list_shows_language_case_and_status(store: TranscriptStore) -> None:
    with store.begin() as recorder:
        recorder.record(EventKind.CASE, {"text": "胸痛" * 100, "language": "ja"})

    (summary,) = store.consultations()

    assert (summary.id, summary.language, summary.case) == (recorder.consultation_id, "ja", "胸痛" * 40)
    assert (summary.status, summary.events) == (Status.FINISHED, 2)


@BOTH
def test_the_list_is_read_in_pages_from_the_newest(store: TranscriptStore) -> None:
    ids = []
    for _ in range(5):
        with store.begin() as recorder:
            ids.append(recorder.consultation_id)
    newest = sorted(ids, reverse=True)

    first = store.consultations(limit=2)
    rest = store.consultations(limit=9, before=first[-1].id)

    assert [summary.id for summary in first] == newest[:2]
    assert [summary.id for summary in rest] == newest[2:]


@BOTH
def test_a_consultation_runs_until_its_recorder_ends_or_is_gone(store: TranscriptStore) -> None:
    recorder = store.begin()
    recorder.record(EventKind.CASE, {"text": "fever", "language": "sw"})
    assert store.consultations()[0].status is Status.RUNNING

    del recorder

    assert store.consultations()[0].status is Status.INTERRUPTED


def test_another_process_sees_that_a_consultation_is_running(store: TranscriptStore, path: Path) -> None:
    with store.begin(), TranscriptStore.open(path, read_only=True) as auditor:
        assert auditor.consultations()[0].status is Status.RUNNING


@BOTH
def test_views_exports_and_feedback_may_follow_the_end(store: TranscriptStore) -> None:
    with store.begin() as recorder:
        recorder.record(EventKind.CASE, {"text": "fever"})

    store.annotate(recorder.consultation_id, EventKind.VIEWED, {"by": "auditor"})

    assert [event.kind for event in store.events(recorder.consultation_id)][-1] is EventKind.VIEWED
    assert store.verify(recorder.consultation_id).events == 3
    assert store.consultations()[0].status is Status.FINISHED


@BOTH
def test_nothing_else_may_follow_the_end(store: TranscriptStore) -> None:
    with store.begin() as recorder:
        pass

    with pytest.raises(EventRefused, match="only its own recorder"):
        store.annotate(recorder.consultation_id, EventKind.ANSWER, {"text": "later thought"})


@BOTH
@pytest.mark.parametrize("unknown", ["c_01jd0000000000000000000000", "", "../../etc/passwd", "c_\ud800"])
def test_an_unknown_consultation_is_said_to_be_missing(store: TranscriptStore, unknown: str) -> None:
    with pytest.raises(TranscriptMissing):
        store.events(unknown)
    with pytest.raises(TranscriptMissing):
        store.verify(unknown)
    with pytest.raises(TranscriptMissing):
        store.annotate(unknown, EventKind.VIEWED, {})


def test_a_transcript_opened_for_reading_reads_and_does_not_write(store: TranscriptStore, path: Path) -> None:
    with store.begin() as recorder:
        recorder.record(EventKind.CASE, {"text": "fever"})

    with TranscriptStore.open(path, read_only=True) as auditor:
        assert auditor.verify(recorder.consultation_id) == store.verify(recorder.consultation_id)
        with pytest.raises(TranscriptUnwritable, match="read-only"):
            auditor.begin()
        with pytest.raises(TranscriptUnwritable, match="read-only"):
            auditor.annotate(recorder.consultation_id, EventKind.VIEWED, {})


def test_a_closed_transcript_leaves_one_private_file(path: Path) -> None:
    with TranscriptStore.open(path) as store, store.begin() as recorder:
        recorder.record(EventKind.CASE, {"text": "fever"})

    assert [left.name for left in path.parent.iterdir() if left.is_file()] == [path.name]
    assert path.stat().st_mode & 0o077 == 0


def test_a_file_from_a_later_version_is_left_alone(store: TranscriptStore, path: Path, alter: Alter) -> None:
    alter("PRAGMA user_version = 9")

    with pytest.raises(TranscriptSchemaTooNew) as caught:
        TranscriptStore.open(path, read_only=True)
    with pytest.raises(TranscriptSchemaTooNew):
        TranscriptStore.open(path)

    assert (caught.value.found, caught.value.known) == (9, SCHEMA)


def test_the_file_of_another_program_is_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TABLE patients (name)")
    before = path.read_bytes()

    with pytest.raises(TranscriptUnreadable, match="another program"):
        TranscriptStore.open(path)

    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"plain text, long enough to be taken for a header" * 40])
def test_a_file_that_is_no_transcript_cannot_be_read(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    with pytest.raises(TranscriptUnreadable):
        TranscriptStore.open(path, read_only=True)


def test_an_absent_file_is_not_made_by_reading(path: Path) -> None:
    with pytest.raises(TranscriptUnreadable):
        TranscriptStore.open(path, read_only=True)

    assert not path.exists()


@BOTH
def test_the_values_of_a_field_are_collected_over_all_consultations(store: TranscriptStore) -> None:
    for version in ("a-1", "b-2", "a-1"):
        with store.begin() as recorder:
            recorder.record(EventKind.RETRIEVAL, {"version": version})
            recorder.record(EventKind.ANSWER, {"version": "c-3"})
            recorder.record(EventKind.RETRIEVAL, {"version": None, "passages": ["x"]})

    assert store.values(EventKind.RETRIEVAL, "version") == {"a-1", "b-2"}
    assert store.values(EventKind.RETRIEVAL, "passages") == frozenset()


@BOTH
def test_values_are_not_read_past_a_damaged_event(store: TranscriptStore, alter: Alter) -> None:
    with store.begin() as recorder:
        recorder.record(EventKind.RETRIEVAL, {"version": "a-1"})
    alter("UPDATE events SET body = '{' WHERE kind = 'retrieval'")

    with pytest.raises(TranscriptAltered):
        store.values(EventKind.RETRIEVAL, "version")
