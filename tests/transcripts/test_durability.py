"""What was acknowledged is on the disk whatever happens next, and what cannot be written stops the case."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from pathlib import Path

import pytest

from transcripts.consultation import Status
from transcripts.errors import TranscriptError, TranscriptUnwritable
from transcripts.event import EventKind
from transcripts.keys import KeyRing
from transcripts.seal import Seal
from transcripts.store import TranscriptStore

ROOT = Path(__file__).parents[2]

WRITE_FOR_EVER = """
    import sys
    from pathlib import Path
    from transcripts.event import EventKind
    from transcripts.store import TranscriptStore

    recorder = TranscriptStore.open(Path(sys.argv[1])).begin()
    print(recorder.consultation_id, flush=True)
    turn = 0
    while True:
        print(recorder.record(EventKind.PROMPT, {"turn": turn, "text": "胸痛 " * 50}).hash, flush=True)
        turn += 1
"""

WRITE_ONE_CASE = """
    import sys
    from pathlib import Path
    from transcripts.event import EventKind
    from transcripts.store import TranscriptStore

    sys.stdin.readline()
    with TranscriptStore.open(Path(sys.argv[1])) as store, store.begin() as recorder:
        for turn in range(20):
            recorder.record(EventKind.PROMPT, {"turn": turn})
    print(recorder.consultation_id)
"""

WRITE_UNTIL_FULL = """
    import resource, sys
    from pathlib import Path
    from transcripts.errors import TranscriptUnwritable
    from transcripts.event import EventKind
    from transcripts.store import TranscriptStore

    recorder = TranscriptStore.open(Path(sys.argv[1])).begin()
    print(recorder.consultation_id)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
    try:
        while True:
            print(recorder.record(EventKind.PROMPT, {"text": "x" * 3000}).hash)
    except TranscriptUnwritable as failure:
        print(failure)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    try:
        recorder.record(EventKind.ANSWER, {"text": "as if nothing had happened"})
    except TranscriptUnwritable:
        print("refused")
"""


def child(script: str, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("acknowledged", [0, 1, 37, 150])
def test_killing_the_writer_loses_no_acknowledged_event(path: Path, acknowledged: int) -> None:
    with child(WRITE_FOR_EVER, path) as writer:
        assert writer.stdout is not None
        consultation = writer.stdout.readline().strip()
        heard = [writer.stdout.readline().strip() for _ in range(acknowledged)]
        writer.send_signal(signal.SIGKILL)
        heard += [line.strip() for line in writer.stdout if line.endswith("\n")]

    with TranscriptStore.open(path) as store:
        kept = [event.hash for event in store.events(consultation)]
        assert kept[: len(heard)] == heard
        assert len(kept) <= len(heard) + 1
        assert store.verify(consultation).events == len(kept)
        assert store.consultations()[0].status is Status.INTERRUPTED


def test_a_new_consultation_follows_a_killed_one(path: Path) -> None:
    with child(WRITE_FOR_EVER, path) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        writer.kill()

    with TranscriptStore.open(path) as store, store.begin() as recorder:
        recorder.record(EventKind.CASE, {"text": "the next patient"})

    with TranscriptStore.open(path, read_only=True) as store:
        assert [summary.status for summary in store.consultations()] == [Status.FINISHED, Status.INTERRUPTED]


def test_several_processes_make_and_share_one_file(path: Path) -> None:
    writers = [child(WRITE_ONE_CASE, path) for _ in range(3)]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()

    consultations = [writer.communicate()[0].strip() for writer in writers]

    with TranscriptStore.open(path, read_only=True) as store:
        assert [store.verify(consultation).events for consultation in consultations] == [21, 21, 21]


def test_a_full_disk_stops_the_case_and_keeps_what_was_acknowledged(path: Path) -> None:
    with child(WRITE_UNTIL_FULL, path) as writer:
        output, _ = writer.communicate()
    consultation, *hashes, failure, refused = output.splitlines()

    assert failure.startswith("the case was stopped because its record could not be written: ")
    assert refused == "refused"
    with TranscriptStore.open(path) as store:
        assert [event.hash for event in store.events(consultation)] == hashes
        assert store.verify(consultation).events == len(hashes) > 0
        assert store.consultations()[0].status is Status.INTERRUPTED


def test_a_transcript_locked_by_another_program_stops_the_case(path: Path) -> None:
    with TranscriptStore.open(path, patience=0.01) as store, closing(sqlite3.connect(path)) as other:
        recorder = store.begin()
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TranscriptUnwritable, match="keeps the transcript locked"):
            recorder.record(EventKind.CASE, {"text": "fever"})
        other.rollback()

        with pytest.raises(TranscriptUnwritable, match="keeps the transcript locked"):
            recorder.record(EventKind.CASE, {"text": "fever"})
        assert store.begin().record(EventKind.CASE, {"text": "the next patient"}).seq == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not let go of an open file")
@pytest.mark.parametrize("in_its_place", [False, True])
def test_a_deleted_transcript_stops_the_case(path: Path, in_its_place: bool) -> None:
    with TranscriptStore.open(path) as store:
        recorder = store.begin()
        copy = shutil.copy(path, path.with_suffix(".copy"))
        path.unlink()
        if in_its_place:
            os.rename(copy, path)

        with pytest.raises(TranscriptUnwritable, match="moved or deleted"):
            recorder.record(EventKind.CASE, {"text": "fever"})


def test_a_case_that_cannot_be_recorded_fails_and_is_left_interrupted(path: Path) -> None:
    def consult() -> None:
        store = TranscriptStore.open(path)
        with store.begin() as recorder:
            store.close()
            recorder.record(EventKind.CASE, {"text": "fever"})

    with pytest.raises(TranscriptUnwritable):
        consult()

    with TranscriptStore.open(path, read_only=True) as store:
        assert store.consultations()[0].status is Status.INTERRUPTED


def test_an_end_that_cannot_be_written_is_an_error(path: Path) -> None:
    store = TranscriptStore.open(path)

    with pytest.raises(TranscriptUnwritable), store.begin():
        store.close()


def test_a_folder_in_place_of_the_file_cannot_be_opened(path: Path) -> None:
    path.mkdir()

    with pytest.raises(TranscriptUnwritable):
        TranscriptStore.open(path)
    with pytest.raises(TranscriptError):
        TranscriptStore.open(path, read_only=True)


def test_a_file_in_place_of_the_folder_cannot_be_opened(path: Path) -> None:
    path.write_text("not a folder")

    with pytest.raises(TranscriptUnwritable):
        TranscriptStore.open(path / "transcripts.db")


def test_a_disk_without_space_is_named_as_the_reason(small_disk: Path) -> None:
    with TranscriptStore.open(small_disk / "transcripts.db") as store:
        recorder = store.begin()
        acknowledged = []

        with pytest.raises(TranscriptUnwritable, match="the disk is full; free some space"):
            acknowledged += [recorder.record(EventKind.PROMPT, {"text": "x" * 3000}) for _ in range(500)]

        assert store.verify(recorder.consultation_id).events > 10


def test_a_full_disk_stops_a_signed_case_too_and_leaves_a_file_that_is_proved(small_disk: Path, ring: KeyRing) -> None:
    path = small_disk / "transcripts.db"
    with TranscriptStore.open(path, seal=Seal(ring, small_disk / "copy.jsonl")) as store:
        with store.begin() as recorder:
            acknowledged = [recorder.record(EventKind.CASE, {"text": "fever"})]
        with pytest.raises(TranscriptUnwritable, match="the disk is full"), store.begin() as filling:
            acknowledged += [filling.record(EventKind.PROMPT, {"text": "x" * 3000}) for _ in range(500)]

    with TranscriptStore.open(path, read_only=True) as auditor:
        audit = auditor.verify_all(ring.public)
        assert audit.consultations == 2
        assert auditor.verify(recorder.consultation_id, ring.public).signed == 2


def test_a_read_only_disk_can_be_audited_but_not_written(small_disk: Path) -> None:
    path = small_disk / "transcripts.db"
    with TranscriptStore.open(path) as store, store.begin() as recorder:
        recorder.record(EventKind.CASE, {"text": "fever"})
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)

    with TranscriptStore.open(path, read_only=True) as auditor:
        assert auditor.verify(recorder.consultation_id).events == 2
        assert auditor.consultations()[0].status is Status.FINISHED
    with pytest.raises(TranscriptUnwritable, match="read-only"):
        TranscriptStore.open(path)
    with pytest.raises(TranscriptUnwritable, match="read-only"):
        TranscriptStore.open(small_disk / "new" / "transcripts.db")
