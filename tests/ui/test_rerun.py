"""`coreasoner transcripts rerun`: the same case with what is on its record, or a sentence that says what is missing."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import JsonValue

from agents.errors import NotRecomputable
from agents.rerun import original
from tests.ui.conftest import MODEL, Installation, Ran
from transcripts.event import EventKind
from transcripts.store import TranscriptStore

CASE = "Child of 3 with cough, fever and 48 breaths per minute. Which drug?"
ENGINE: Mapping[str, JsonValue] = {"engine__exact": "true", "engine__lanes": "2", "engine__sequences": "2"}


@pytest.fixture(scope="module")
def exact(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation of its own record, in which every text has a lane."""
    home = tmp_path_factory.mktemp("exact")
    (home / "knowledge").symlink_to(installation.home / "knowledge")
    return installation.elsewhere(home=home, **ENGINE)


@pytest.fixture(scope="module")
def consultation(exact: Installation) -> str:
    """A case that was argued."""
    done = exact.run("ask", "--json", "--language", "en", CASE)
    assert done.code == 0, done.err
    return str(json.loads(done.out)["transcript_id"])


def test_a_case_is_computed_again_to_the_last_token(exact: Installation, consultation: str) -> None:
    done: Ran = exact.elsewhere(team__seed=11, engine__exact="false").run("transcripts", "rerun", consultation)

    assert done.code == 0, done.out + done.err
    assert "Identical" in done.out
    with TranscriptStore.open(exact.home / "transcripts.db", read_only=True) as store:
        again, first = store.consultations()
        assert first.id == consultation
        circumstances = next(event for event in store.events(again.id) if event.kind is EventKind.MODEL)
        assert circumstances.body["rerun_of"] == consultation
        assert [event.body.get("as") for event in store.events(first.id) if event.kind is EventKind.VIEWED] == ["rerun"]


def test_without_its_weights_a_case_is_refused(exact: Installation, consultation: str, tmp_path: Path) -> None:
    done = exact.elsewhere(models__folder=tmp_path).run("transcripts", "rerun", consultation)

    assert done.code == 1
    assert f"{consultation} cannot be computed again" in done.err
    assert f"`coreasoner models pull {MODEL}`" in done.err


def test_a_record_without_models_is_refused(tmp_path: Path) -> None:
    with TranscriptStore.open(tmp_path / "transcripts.db") as store:
        with store.begin() as recorder:
            recorder.record(EventKind.CASE, {"text": CASE, "language": "en", "language_found": "given"})

        with pytest.raises(NotRecomputable, match="names no models"):
            original(recorder.consultation_id, store.events(recorder.consultation_id))


def test_an_answer_of_an_evaluation_is_left_to_the_evaluation(tmp_path: Path) -> None:
    with TranscriptStore.open(tmp_path / "transcripts.db") as store:
        with store.begin() as recorder:
            recorder.record(EventKind.MODEL, {"models": [], "guidelines": "", "evaluated": "team test-model ja/7"})
            recorder.record(EventKind.CASE, {"text": CASE, "language": "en", "language_found": "given"})

        with pytest.raises(NotRecomputable, match="`coreasoner evaluate run`"):
            original(recorder.consultation_id, store.events(recorder.consultation_id))


def test_a_case_of_shared_batches_is_said_to_be_beyond_computing_again(tmp_path: Path) -> None:
    with TranscriptStore.open(tmp_path / "transcripts.db") as store:
        with store.begin() as recorder:
            recorder.record(EventKind.MODEL, {"models": [], "guidelines": ""})
            recorder.record(EventKind.CASE, {"text": CASE, "language": "en", "language_found": "given"})
            recorder.record(EventKind.MODEL, {"agent": "EnglishReasoner", "figures": {"shared": True}})

        first = original(recorder.consultation_id, store.events(recorder.consultation_id))

    assert "cannot be computed again to the last bit" in next(iter(first.notices))
