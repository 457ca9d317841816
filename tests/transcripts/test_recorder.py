"""A consultation is written while it happens: streams with their timing, from many threads, to a recorded end."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.transcripts.conftest import BOTH
from transcripts.consultation import Outcome, Status
from transcripts.errors import EventRefused, TranscriptUnwritable
from transcripts.event import EventKind
from transcripts.recorder import Recorder, StreamPart
from transcripts.store import TranscriptStore


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def parts(store: TranscriptStore, recorder: Recorder) -> list[StreamPart]:
    events = store.events(recorder.consultation_id)
    return [StreamPart.model_validate(event.body) for event in events if event.kind is EventKind.STREAM]


def kinds(store: TranscriptStore, recorder: Recorder) -> list[EventKind]:
    return [event.kind for event in store.events(recorder.consultation_id)]


@BOTH
def test_the_chunks_of_a_stream_give_it_back_byte_for_byte(store: TranscriptStore) -> None:
    text = "痛みは左腕へ放散する。ألم 🫀 e\u0301\r\n\x00 fin"
    clock = Clock()
    with store.begin() as recorder, recorder.stream("local clinician", "argue", clock=clock) as stream:
        for character in text:
            stream.add(character)
            clock.now += 0.07

    written = parts(store, recorder)

    assert "".join(chunk for part in written for _, chunk in part.chunks).encode() == text.encode()
    assert {(part.agent, part.role, part.stream) for part in written} == {("local clinician", "argue", 0)}


@BOTH
def test_a_stream_is_written_every_half_second_of_its_own_time(store: TranscriptStore) -> None:
    clock = Clock()
    with store.begin() as recorder, recorder.stream("english reasoner", clock=clock) as stream:
        for milliseconds in (100, 400, 499, 500, 900, 1000, 1200):
            clock.now = 100 + milliseconds / 1000
            stream.add("x")

    times = [[at for at, _ in part.chunks] for part in parts(store, recorder)]

    assert times == [[100, 400, 499, 500], [900, 1000], [1200]]


@BOTH
def test_a_stream_is_durable_before_it_ends(store: TranscriptStore) -> None:
    clock = Clock()
    with store.begin() as recorder, recorder.stream("english reasoner", clock=clock) as stream:
        stream.add("first")
        clock.now += 0.5
        stream.add(" second")
        # Events become durable in their order.
        recorder.record(EventKind.PROMPT, {"text": "next"})

        assert [chunk for _, chunk in parts(store, recorder)[0].chunks] == ["first", " second"]


@BOTH
def test_ending_a_consultation_writes_what_its_open_streams_still_hold(store: TranscriptStore) -> None:
    recorder = store.begin()
    stream = recorder.stream("english reasoner")
    stream.add("not lost")

    recorder.finish()

    assert kinds(store, recorder) == [EventKind.STREAM, EventKind.FINISHED]
    with pytest.raises(EventRefused, match="closed"):
        stream.add("too late")


def test_a_stream_that_cannot_be_recorded_stops_at_its_next_part_or_its_end(path: Path) -> None:
    clock = Clock()
    with TranscriptStore.open(path, patience=0.01) as store, closing(sqlite3.connect(path)) as other:
        recorder = store.begin()
        going_on, ending = (recorder.stream("english reasoner", clock=clock) for _ in range(2))
        other.execute("BEGIN IMMEDIATE")
        for stream in (going_on, ending):
            clock.now += 0.5
            stream.add("never durable")
        clock.now += 0.5

        with pytest.raises(TranscriptUnwritable, match="locked"):
            going_on.add("nor this")
        with pytest.raises(TranscriptUnwritable, match="locked"):
            ending.close()

        other.rollback()
        assert list(store.events(recorder.consultation_id)) == []


@BOTH
def test_a_stream_that_breaks_off_keeps_what_it_said(store: TranscriptStore) -> None:
    recorder = store.begin()

    def argue() -> None:
        with recorder, recorder.stream("english reasoner") as stream:
            stream.add("so far")
            raise ConnectionError("worker gone")

    with pytest.raises(ConnectionError):
        argue()

    assert kinds(store, recorder) == [EventKind.STREAM, EventKind.ERROR, EventKind.FINISHED]


@BOTH
def test_a_consultation_ends_finished(store: TranscriptStore) -> None:
    with store.begin() as recorder:
        recorder.record(EventKind.CASE, {"text": "fever"})

    assert store.consultations()[0].status is Status.FINISHED


@BOTH
def test_an_error_is_recorded_and_raised_again(store: TranscriptStore) -> None:
    with pytest.raises(ZeroDivisionError), store.begin() as recorder:
        1 / 0  # noqa: B018

    error = next(store.events(recorder.consultation_id))
    assert error.body == {"type": "ZeroDivisionError", "message": "division by zero"}
    assert store.consultations()[0].status is Status.FAILED


@BOTH
async def test_a_cancelled_task_leaves_a_cancelled_consultation(store: TranscriptStore) -> None:
    async def consult() -> None:
        with store.begin() as recorder:
            recorder.record(EventKind.CASE, {"text": "fever"})
            await asyncio.Event().wait()

    task = asyncio.create_task(consult())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert store.consultations()[0].status is Status.CANCELLED


@BOTH
@pytest.mark.parametrize("first", [Status.CANCELLED, Status.FAILED, Status.FINISHED])
def test_the_first_end_of_a_consultation_decides(store: TranscriptStore, first: Outcome) -> None:
    with store.begin() as recorder:
        recorder.finish(first)
        recorder.finish(Status.FINISHED)

    assert store.consultations()[0].status is first
    assert kinds(store, recorder) == [EventKind.FINISHED]


@BOTH
def test_nothing_is_recorded_after_the_end(store: TranscriptStore) -> None:
    with store.begin() as recorder:
        pass

    with pytest.raises(EventRefused, match="has ended"):
        recorder.record(EventKind.ANSWER, {"text": "late"})


@BOTH
def test_only_finish_writes_the_last_event(store: TranscriptStore) -> None:
    with store.begin() as recorder, pytest.raises(EventRefused, match=r"finish\(\)"):
        recorder.record(EventKind.FINISHED, {"status": "finished"})


@BOTH
def test_eight_threads_write_one_valid_chain(store: TranscriptStore) -> None:
    recorder, gate = store.begin(), threading.Barrier(8)

    def write(writer: int) -> list[str]:
        gate.wait()
        return [recorder.record(EventKind.PROMPT, {"writer": writer, "turn": turn}).hash for turn in range(25)]

    with ThreadPoolExecutor(8) as threads:
        acknowledged = [hash_ for hashes in threads.map(write, range(8)) for hash_ in hashes]
    recorder.finish()

    written = list(store.events(recorder.consultation_id))
    assert {event.hash for event in written[:-1]} == set(acknowledged)
    assert [event.seq for event in written] == list(range(201))
    assert store.verify(recorder.consultation_id).events == 201


def turns_of(store: TranscriptStore, recorder: Recorder, writer: int) -> Iterator[object]:
    for event in store.events(recorder.consultation_id):
        if event.body.get("writer") == writer:
            yield event.body["turn"]


@BOTH
async def test_tasks_and_threads_keep_each_writers_own_order(store: TranscriptStore) -> None:
    recorder = store.begin()

    async def write(writer: int) -> None:
        for turn in range(10):
            await asyncio.to_thread(recorder.record, EventKind.PROMPT, {"writer": writer, "turn": turn})

    await asyncio.gather(*(write(writer) for writer in range(4)))
    recorder.finish()

    assert all(list(turns_of(store, recorder, writer)) == list(range(10)) for writer in range(4))
