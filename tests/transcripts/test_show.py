"""A recorded consultation becomes lines that a person can read."""

from datetime import UTC, datetime, timedelta

import pytest

from transcripts.errors import TranscriptAltered
from transcripts.event import Body, Event, EventKind
from transcripts.show import Line, playback
from transcripts.store import TranscriptStore

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def event(seconds: float, kind: EventKind, body: Body) -> Event:
    at = START + timedelta(seconds=seconds)
    return Event.following("c_01", 0, f"sha256:{'0' * 64}", time=at, kind=kind, body=body)


def part(written: float, stream: int, agent: str, started: float, text: str) -> Event:
    begun = (START + timedelta(seconds=started)).isoformat()
    body: Body = {"stream": stream, "agent": agent, "role": "", "started": begun, "chunks": [[10, text]]}
    return event(written, EventKind.STREAM, body)


def test_interleaved_streams_are_whole_texts_in_the_order_they_started() -> None:
    lines = playback(
        [
            event(0, EventKind.CASE, {"text": "胸痛", "language": "ja"}),
            part(2.0, 1, "local clinician", 1.1, "急性"),
            part(2.1, 0, "english reasoner", 1.0, "Acute "),
            part(2.5, 1, "local clinician", 1.1, "心筋梗塞"),
            part(2.6, 0, "english reasoner", 1.0, "infarction"),
            event(3, EventKind.ERROR, {"agent": "aligner", "type": "ValueError", "message": "no chain"}),
        ]
    )

    assert list(lines) == [
        Line(offset=0, kind=EventKind.CASE, agent="", text="胸痛"),
        Line(offset=1.0, kind=EventKind.STREAM, agent="english reasoner", text="Acute infarction"),
        Line(offset=1.1, kind=EventKind.STREAM, agent="local clinician", text="急性心筋梗塞"),
        Line(offset=3, kind=EventKind.ERROR, agent="aligner", text="no chain"),
    ]


def test_a_body_without_words_is_shown_as_json() -> None:
    (line,) = playback([event(0, EventKind.RETRIEVAL, {"agent": "aligner", "passages": [1, 2], "query": "痛"})])

    assert (line.agent, line.text) == ("aligner", '{"passages": [1, 2], "query": "痛"}')


def test_what_a_model_says_cannot_drive_the_readers_terminal() -> None:
    (line,) = playback([event(0, EventKind.ANSWER, {"agent": "a\x1b[0m", "text": "\x1b[2Jok\n\x9b1m\u202egm 5"})])

    assert (line.agent, line.text) == ("a␛[0m", "␛[2Jok\n\ufffd1m<U+202E>gm 5")


def test_a_recorded_consultation_can_be_played_back(store: TranscriptStore) -> None:
    with store.begin() as recorder:
        recorder.record(EventKind.CASE, {"text": "ألم في الصدر"})
        with recorder.stream("english reasoner") as stream:
            stream.add("Think of ")
            stream.add("infarction 🫀")

    lines = list(playback(store.events(recorder.consultation_id)))

    assert [line.text for line in lines] == ["ألم في الصدر", "Think of infarction 🫀", "finished"]
    assert lines[0].offset == 0 <= lines[1].offset <= lines[2].offset


def test_nothing_recorded_is_nothing_shown() -> None:
    assert list(playback([])) == []


def test_a_stream_that_no_recorder_wrote_is_reported() -> None:
    with pytest.raises(TranscriptAltered):
        list(playback([event(0, EventKind.STREAM, {"chunks": "text"})]))
