"""The list of consultations can be narrowed, and a page of it is full whatever it was narrowed by."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.transcripts.conftest import BOTH, Place
from transcripts.consultation import Outcome, Status
from transcripts.event import EventKind
from transcripts.keys import KeyRing
from transcripts.listing import Filter
from transcripts.seal import Seal
from transcripts.store import TranscriptStore

DAY = datetime(2026, 12, 24, 8, 0, tzinfo=UTC)


class Days:
    """A clock that shows another day whenever a case has begun."""

    def __init__(self) -> None:
        self.now = DAY

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def days() -> Days:
    return Days()


@pytest.fixture
def listed(place: Place, ring: KeyRing, days: Days) -> Iterator[TranscriptStore]:
    """Cases a, b, c, d of four days: two Japanese ones, an English and a German one that was cancelled."""
    cases: tuple[tuple[str, str, Outcome], ...] = (
        ("ja", 'a: "胸痛" and CHEST pain', Status.FINISHED),
        ("en", "b: fever\n39 °C", Status.FINISHED),
        ("ja", "c: めまい", Status.FAILED),
        ("de", "d: Schwindel, \\ja\\", Status.CANCELLED),
    )
    with place.open(seal=Seal(ring), clock=days) as store:
        for language, text, status in cases:
            recorder = store.begin()
            recorder.record(EventKind.CASE, {"text": text, "language": language})
            recorder.finish(status)
            days.now += timedelta(days=1)
        yield store


def names(store: TranscriptStore, wanted: Filter, limit: int = 50) -> str:
    return "".join(summary.case[0] for summary in store.consultations(limit, wanted=wanted))


@BOTH
@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filter(), "dcba"),
        (Filter(language="ja"), "ca"),
        (Filter(language="j"), ""),
        (Filter(language='ja"'), ""),
        (Filter(since=DAY + timedelta(days=1)), "dcb"),
        (Filter(until=DAY + timedelta(days=2)), "ba"),
        (Filter(since=DAY + timedelta(days=1), until=DAY + timedelta(days=2)), "b"),
        (Filter(status=Status.FINISHED), "ba"),
        (Filter(status=Status.FAILED), "c"),
        (Filter(status=Status.CANCELLED), "d"),
        (Filter(status=Status.RUNNING), ""),
        (Filter(status=Status.ERASED), ""),
        (Filter(text="胸"), "a"),
        (Filter(text="chest PAIN"), "a"),
        (Filter(text='"胸痛"'), "a"),
        (Filter(text="fever\n39"), "b"),
        (Filter(text="\\JA\\"), "d"),
        (Filter(text="language"), ""),
        (Filter(text="%"), ""),
        (Filter(language="ja", status=Status.FINISHED, text="pain", since=DAY, until=DAY + timedelta(days=9)), "a"),
    ],
)
def test_only_what_is_wanted_is_listed_newest_first(listed: TranscriptStore, wanted: Filter, found: str) -> None:
    assert names(listed, wanted) == found


@BOTH
def test_running_interrupted_and_erased_ones_are_found_by_their_status(listed: TranscriptStore, days: Days) -> None:
    interrupted = listed.begin()
    interrupted.record(EventKind.CASE, {"text": "i", "language": "sw"})
    del interrupted
    days.now += timedelta(days=1)
    running = listed.begin()
    running.record(EventKind.CASE, {"text": "r", "language": "sw"})
    oldest = listed.consultations()[-1].id
    listed.erase(oldest, reason="kept for 10 years")

    assert names(listed, Filter(status=Status.INTERRUPTED)) == "i"
    assert names(listed, Filter(status=Status.RUNNING)) == "r"
    assert [summary.id for summary in listed.consultations(wanted=Filter(status=Status.ERASED))] == [oldest]


@BOTH
def test_a_page_is_full_however_far_apart_what_is_wanted_stands(listed: TranscriptStore) -> None:
    wanted = Filter(language="ja")

    first = listed.consultations(1, wanted=wanted)
    second = listed.consultations(1, before=first[-1].id, wanted=wanted)
    third = listed.consultations(1, before=second[-1].id, wanted=wanted)

    assert [summary.case[0] for summary in (*first, *second, *third)] == ["c", "a"]
