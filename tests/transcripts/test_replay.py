"""A replay is the consultation again: every byte, in its order, at the pace that is asked for."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.transcripts.conftest import BOTH
from transcripts.errors import TranscriptAltered
from transcripts.event import Body, Event, EventKind
from transcripts.replay import Moment, moments, play, step
from transcripts.store import TranscriptStore

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SPOKEN = ("痛みは", "左腕へ", "", "ألم 🫀", "e\u0301\r\n\x00\x1b[2J", " fin")


def event(seq: int, seconds: float, kind: EventKind, body: Body) -> Event:
    at = START + timedelta(seconds=seconds)
    return Event.following("c_01", seq, f"sha256:{'0' * 64}", time=at, kind=kind, body=body)


def part(seq: int, stream: int, agent: str, started: float, *chunks: tuple[int, str]) -> Event:
    begun = (START + timedelta(seconds=started)).isoformat()
    body: Body = {"stream": stream, "agent": agent, "role": "", "started": begun, "chunks": [list(c) for c in chunks]}
    return event(seq, 5, EventKind.STREAM, body)


EVENTS = (
    event(0, 0, EventKind.CASE, {"text": "胸痛"}),
    part(1, 0, "english", 1.0, (0, "Acute "), (500, "infarction")),
    part(2, 1, "local", 1.0, (250, "急性"), (750, "梗塞")),
    event(3, 2, EventKind.ANSWER, {"text": "aspirin"}),
)


def test_chunks_of_several_streams_come_when_they_came() -> None:
    shown = [(moment.offset, moment.agent, moment.text) for moment in moments(EVENTS)]

    assert shown == [
        (0, "", "胸痛"),
        (1.0, "english", "Acute "),
        (1.25, "local", "急性"),
        (1.5, "english", "infarction"),
        (1.75, "local", "梗塞"),
        (2.0, "", "aspirin"),
    ]


@pytest.mark.parametrize(
    ("speed", "waits"), [(1.0, [1.0, 0.25, 0.25, 0.25, 0.25]), (5.0, [0.2, 0.05, 0.05, 0.05, 0.05])]
)
def test_it_runs_as_fast_as_it_is_asked_to(speed: float, waits: list[float]) -> None:
    waited: list[float] = []

    texts = [moment.text for moment in play(moments(EVENTS), waited.append, speed)]

    assert waited == pytest.approx(waits)
    assert "".join(texts) == "胸痛Acute 急性infarction梗塞aspirin"


def test_it_can_begin_at_any_event() -> None:
    assert [(moment.offset, moment.text) for moment in moments(EVENTS, 2)] == [
        (0, "急性"),
        (0.5, "梗塞"),
        (0.75, "aspirin"),
    ]
    assert moments(EVENTS, 4) == []


def test_step_by_step_it_waits_before_every_event_but_the_first() -> None:
    shown: list[Moment | str] = []

    for moment in step(moments(EVENTS[:1] + EVENTS[3:]), lambda: shown.append("waited")):
        shown.append(moment.text)

    assert shown == ["胸痛", "waited", "aspirin"]


@BOTH
def test_a_replayed_stream_is_byte_for_byte_what_was_streamed(store: TranscriptStore) -> None:
    with store.begin() as recorder, recorder.stream("local") as first, recorder.stream("english") as second:
        for text in SPOKEN:
            first.add(text)
            second.add(text[::-1])

    happened = moments(store.events(recorder.consultation_id))

    texts = ["".join(moment.text for moment in happened if moment.stream == stream) for stream in (0, 1)]
    assert [text.encode() for text in texts] == ["".join(SPOKEN).encode(), "".join(t[::-1] for t in SPOKEN).encode()]


def test_a_stream_that_no_recorder_wrote_is_reported() -> None:
    with pytest.raises(TranscriptAltered):
        moments([event(0, 0, EventKind.STREAM, {"chunks": "text"})])
