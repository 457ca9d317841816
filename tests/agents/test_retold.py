"""A consultation told again from its record: what was shown, when it was shown, whatever version wrote it."""

import shutil
from pathlib import Path

import pytest

from agents.consultation import Chunk, Outcome
from agents.messages import Argument
from agents.retold import Ended, case_of, told
from tests.ui.recorded import TEXTS, record
from transcripts.event import EventKind
from transcripts.store import TranscriptStore

CORPUS = Path(__file__).parent.parent / "fixtures" / "transcripts"


def test_the_values_that_were_shown_are_told_again(transcripts: TranscriptStore) -> None:
    consultation, shown = record(transcripts)

    again = [item.progress for item in told(transcripts.events(consultation)) if item.progress]

    assert [item for item in again if isinstance(item, Chunk)] == [item for item in shown if isinstance(item, Chunk)]
    assert again[-3:] == shown[-3:]


def test_an_argument_is_told_when_its_side_had_spoken(transcripts: TranscriptStore) -> None:
    consultation, _ = record(transcripts)

    events = list(transcripts.events(consultation))
    first = next(item for item in told(events) if isinstance(item.progress, Argument))

    assert (events[first.seq].kind, events[first.seq].body["agent"]) == (EventKind.MODEL, "EnglishReasoner")


def test_the_case_is_found(transcripts: TranscriptStore) -> None:
    consultation, _ = record(transcripts, "ar")

    case = case_of(transcripts.events(consultation))

    assert case is not None
    assert case.text == TEXTS["ar"][0]


@pytest.mark.parametrize(("raised", "reason"), [(KeyboardInterrupt(), ""), (OSError("no disk"), "no disk")])
def test_how_a_case_ended_early_is_told(transcripts: TranscriptStore, raised: BaseException, reason: str) -> None:
    recorder = transcripts.begin()
    recorder.record(EventKind.CASE, {"text": "cough", "language": "en", "language_found": "given"})
    recorder.__exit__(type(raised), raised, None)

    ended = [item.progress for item in told(transcripts.events(recorder.consultation_id)) if item.progress]

    assert ended == [Ended(reason=reason)]


@pytest.mark.parametrize("file", sorted(CORPUS.glob("*.db")), ids=lambda file: file.stem)
def test_every_schema_is_told(file: Path, tmp_path: Path) -> None:
    # SQLite lays files beside one that is opened.
    with TranscriptStore.open(Path(shutil.copy(file, tmp_path)), read_only=True) as store:
        consultations = [list(store.events(summary.id)) for summary in store.consultations()]

    assert consultations
    for events in consultations:
        assert {item.seq for item in told(events)} == {event.seq for event in events}


def test_a_value_that_cannot_be_read_is_shown_as_nothing(transcripts: TranscriptStore) -> None:
    with transcripts.begin() as recorder:
        recorder.record(EventKind.ANSWER, {"of another": "version"})

    events = transcripts.events(recorder.consultation_id)

    assert [item.progress for item in told(events)] == [None, None]
    assert not any(isinstance(item.progress, Outcome) for item in told(events))
