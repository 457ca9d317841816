"""Events of many consultations that wait at once become durable together, and each stands or falls by itself."""

import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.transcripts.conftest import BOTH, Alter
from transcripts.commits import GroupCommit, Waiting
from transcripts.errors import TranscriptAltered, TranscriptError, TranscriptUnwritable
from transcripts.event import Event, EventKind, json_body
from transcripts.store import TranscriptStore


def waiting(name: str) -> Waiting:
    return Waiting(name, EventKind.PROMPT, json_body({"text": name}), lambda: None)


class Disk:
    """Writes groups when it is let go, and remembers them."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.busy = threading.Event()
        self.free = threading.Event()

    def write(self, group: Sequence[Waiting]) -> list[Event | TranscriptError]:
        self.groups.append([event.consultation for event in group])
        self.busy.set()
        self.free.wait()
        return [TranscriptError(event.consultation) for event in group]


def test_what_comes_while_the_disk_is_busy_is_one_group() -> None:
    disk = Disk()
    commits = GroupCommit(disk.write, lambda: None)
    first = commits.add(waiting("a"))
    disk.busy.wait()

    later = [commits.add(waiting(name)) for name in "bcd"]
    assert not first.done()
    disk.free.set()

    assert [str(future.exception()) for future in (first, *later)] == ["a", "b", "c", "d"]
    assert disk.groups == [["a"], ["b", "c", "d"]]


def test_a_group_that_cannot_be_written_fails_as_a_whole() -> None:
    def refuse(_: Sequence[Waiting]) -> list[Event | TranscriptError]:
        raise TranscriptUnwritable("the disk is full")

    commits = GroupCommit(refuse, lambda: None)

    with pytest.raises(TranscriptUnwritable, match="the disk is full"):
        commits.add(waiting("a")).result()


def test_closing_writes_what_waits_and_takes_no_more() -> None:
    disk = Disk()
    disk.free.set()
    commits = GroupCommit(disk.write, lambda: None)
    taken = commits.add(waiting("a"))

    commits.close()

    assert taken.done()
    with pytest.raises(TranscriptUnwritable, match="closed"):
        commits.add(waiting("b"))


@BOTH
def test_many_consultations_at_once_are_all_whole(store: TranscriptStore) -> None:
    gate = threading.Barrier(12)

    def consult(number: int) -> tuple[str, list[str]]:
        recorder = store.begin()
        gate.wait()
        with recorder:
            hashes = [recorder.record(EventKind.PROMPT, {"turn": turn}).hash for turn in range(20)]
        return recorder.consultation_id, hashes

    with ThreadPoolExecutor(12) as threads:
        consulted = list(threads.map(consult, range(12)))

    for consultation, hashes in consulted:
        assert [event.hash for event in store.events(consultation)][:-1] == hashes
        assert store.verify(consultation).events == 21


def test_an_altered_consultation_does_not_stop_the_others(store: TranscriptStore, path: Path, alter: Alter) -> None:
    sound, altered = store.begin(), store.begin()
    alter(f"UPDATE consultations SET head = 'none' WHERE id = '{altered.consultation_id}'")
    pool = ThreadPoolExecutor(2)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        recorded: list[Future[Event]] = [
            pool.submit(recorder.record, EventKind.CASE, {"text": "fever"}) for recorder in (altered, sound)
        ]
        other.execute("COMMIT")

    assert isinstance(recorded[0].exception(), TranscriptAltered)
    assert recorded[1].result().seq == 0
    pool.shutdown()


@BOTH
def test_an_event_that_the_file_refuses_stops_its_own_case(store: TranscriptStore, alter: Alter) -> None:
    recorder = store.begin()
    recorder.record(EventKind.CASE, {"text": "fever"})
    alter("UPDATE consultations SET events = 0")

    with pytest.raises(TranscriptUnwritable, match="refuses its next event"):
        recorder.record(EventKind.ANSWER, {"text": "rest"})

    assert [event.seq for event in store.events(recorder.consultation_id)] == [0]


def test_nothing_follows_an_event_that_could_not_be_written(path: Path) -> None:
    with TranscriptStore.open(path, patience=0.05) as store, closing(sqlite3.connect(path)) as other:
        recorder = store.begin()
        other.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(8) as threads:
            recorded = [threads.submit(recorder.record, EventKind.PROMPT, {"turn": turn}) for turn in range(8)]
            failures = [future.exception() for future in recorded]
        other.rollback()

        assert {type(failure) for failure in failures} == {TranscriptUnwritable}
        assert list(store.events(recorder.consultation_id)) == []
