"""A case stops when the clock of the machine cannot be right, and no event of it is older than the one before."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from transcripts.consultation import Status
from transcripts.errors import TranscriptUnwritable
from transcripts.event import EventKind
from transcripts.store import TranscriptStore

NOW = datetime(2026, 12, 24, 8, 0, tzinfo=UTC)


class Wall:
    """A clock on the wall that anyone may set."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def test_a_clock_that_goes_back_stops_the_case_and_not_the_next(path: Path) -> None:
    wall = Wall(NOW)
    with TranscriptStore.open(path, clock=wall) as store:
        recorder = store.begin()
        recorder.record(EventKind.CASE, {"text": "fever"})
        wall.now -= timedelta(hours=1)
        with pytest.raises(TranscriptUnwritable, match=r"went back from 2026-12-24 08:00:00 to 2026-12-24 07:00:00"):
            recorder.record(EventKind.PROMPT, {"text": "a"})
        wall.now = NOW
        with pytest.raises(TranscriptUnwritable, match="went back"):
            recorder.record(EventKind.PROMPT, {"text": "b"})

        with store.begin() as following:
            following.record(EventKind.CASE, {"text": "the next patient"})

        assert [event.kind for event in store.events(recorder.consultation_id)] == [EventKind.CASE]
        statuses = {summary.id: summary.status for summary in store.consultations()}
        assert statuses == {
            recorder.consultation_id: Status.INTERRUPTED,
            following.consultation_id: Status.FINISHED,
        }


def test_a_clock_that_a_time_server_sets_right_by_less_than_a_second_stops_nothing(path: Path) -> None:
    wall = Wall(NOW)
    with TranscriptStore.open(path, clock=wall) as store, store.begin() as recorder:
        recorder.record(EventKind.CASE, {"text": "fever"})
        wall.now -= timedelta(milliseconds=900)
        recorder.record(EventKind.PROMPT, {"text": "a"})
        wall.now += timedelta(seconds=2)
        recorder.record(EventKind.PROMPT, {"text": "b"})

        times = [event.time for event in store.events(recorder.consultation_id)]

    assert times == [NOW, NOW, NOW + timedelta(milliseconds=1100)]


def test_a_clock_that_forgot_the_time_lets_no_case_begin(path: Path) -> None:
    with (
        TranscriptStore.open(path, clock=Wall(datetime(1970, 1, 1, tzinfo=UTC))) as store,
        pytest.raises(TranscriptUnwritable, match="says 1970-01-01 00:00 UTC, which cannot be; set it"),
    ):
        store.begin()


def test_a_view_is_recorded_whatever_the_clock_says(path: Path) -> None:
    wall = Wall(NOW)
    with TranscriptStore.open(path, clock=wall) as store:
        with store.begin() as recorder:
            recorder.record(EventKind.CASE, {"text": "fever"})
        wall.now -= timedelta(days=1)

        viewed = store.annotate(recorder.consultation_id, EventKind.VIEWED, {})

        assert (viewed.seq, viewed.time) == (2, NOW - timedelta(days=1))
        assert store.verify(recorder.consultation_id).events == 3
