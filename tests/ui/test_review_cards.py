"""What a rater is shown of an answer: all that was said, and nothing that names who said it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from agents.messages import Answer, Case, Claim, Disagreement, Evidence, Missing
from tests.ui.recorded import TEXTS, record
from tests.ui.values import alignment, argument, cited, given, passage
from transcripts.event import Event, EventKind
from transcripts.store import TranscriptStore
from ui import review_cards
from ui.translation import translation

WORDS = translation("en")
MARKUP = '<script>alert("1")</script>'


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TranscriptStore]:
    with TranscriptStore.open(tmp_path / "transcripts.db") as opened:
        yield opened


@pytest.fixture
def team(store: TranscriptStore) -> Sequence[Event]:
    return tuple(store.events(record(store, "ja")[0]))


@pytest.fixture
def alone(store: TranscriptStore) -> Sequence[Event]:
    """One model that read a passage, and wrote markup wherever it could."""
    case = Case(text="咳と発熱", language="ja", language_found="given")
    evidence = Evidence(
        status="found",
        query_mode="question",
        queries=("咳",),
        version="1",
        passages=(cited(1, passage(f"肺炎 {MARKUP}", "ja")),),
    )
    claim = Claim(text=f"肺炎と考える。{MARKUP}", passages=(1,), supported=True)
    answer = Answer(text=claim.text, language="ja", mode="synthesized", claims=(claim,))
    with store.begin() as recorder:
        recorder.record(EventKind.MODEL, {"models": [], "evaluated": "rag-of-the-ward/x"})
        recorder.record(EventKind.CASE, case.model_dump(mode="json"))
        recorder.record(EventKind.RETRIEVAL, evidence.model_dump(mode="json"))
        with recorder.stream("RagOfTheWard", "reasoning") as stream:
            stream.add(f"呼吸が速い。{MARKUP}")
        with recorder.stream("RagOfTheWard", "answer") as stream:
            stream.add('{"sentences": []}')
        recorder.record(EventKind.ANSWER, answer.model_dump(mode="json"))
    return tuple(store.events(recorder.consultation_id))


def side(events: Sequence[Event]) -> str:
    return review_cards.side(WORDS, "first_answer", events, lambda digest: "")


def test_a_team_shows_both_arguments_the_chain_and_the_passages_folded(team: Sequence[Event]) -> None:
    before, folded = side(team).split("<details", 1)

    assert "First answer" in before
    assert TEXTS["ja"][1] in before
    assert all(said in folded for said in (TEXTS["en"][1], "pneumonia", "肺炎", 'class="evidence"', 'class="chain"'))


def test_one_model_shows_what_it_thought_and_what_it_read(alone: Sequence[Event]) -> None:
    before, folded = side(alone).split("<details", 1)

    assert "肺炎と考える" in before
    assert "呼吸が速い" in folded
    assert 'id="passage-1"' in folded
    assert "sentences" not in folded


def test_neither_record_nor_duration_nor_agent_is_told(team: Sequence[Event], alone: Sequence[Event]) -> None:
    for events in (team, alone):
        shown = side(events)
        assert events[0].consultation not in shown
        assert "12 s" not in shown
        assert not any(name in shown for name in ("RagOfTheWard", "rag-of-the-ward", "EnglishReasoner"))


def test_what_only_a_team_can_say_is_folded_and_why_a_part_was_missing_is_not_told(store: TranscriptStore) -> None:
    case = Case(text="咳と発熱", language="ja", language_found="given")
    why = "left out of this evaluation on purpose"
    apart = {"missing": (Missing(part="local", text="no local view", reason=why),), "claims": (), "unsupported": ()}
    answer = given(
        "zinc", language="ja", disagreement=Disagreement(english="amoxicillin", local="azithromycin"), **apart
    )
    silent = argument("x", available=False)
    with store.begin() as recorder:
        recorder.record(EventKind.CASE, case.model_dump(mode="json"))
        with recorder.stream("LocalClinician", "reasoning") as stream:
            stream.add("咳")
        unavailable = silent.reasoning.model_copy(update={"reason": why}).model_dump(mode="json")
        recorder.record(EventKind.REASONING, unavailable)
        recorder.record(EventKind.CHAIN, silent.chain.model_dump(mode="json"))
        evidence = alignment("x").evidence.model_copy(update={"reason": why})
        recorder.record(EventKind.RETRIEVAL, evidence.model_dump(mode="json"))
        recorder.record(EventKind.ANSWER, answer.model_dump(mode="json"))

    before, folded = side(tuple(store.events(recorder.consultation_id))).split("<details", 1)

    assert "zinc" in before
    assert not any(said in before for said in ("no local view", "amoxicillin", "azithromycin", WORDS["missing"]))
    assert all(said in folded for said in ("no local view", "amoxicillin", "azithromycin"))
    assert why not in folded


def test_markup_is_text(alone: Sequence[Event]) -> None:
    shown = side(alone)

    assert "<script" not in shown
    assert shown.count("&lt;script&gt;") >= 3


def test_a_record_without_an_answer_says_so(team: Sequence[Event]) -> None:
    cut = tuple(event for event in team if event.kind not in (EventKind.ANSWER, EventKind.FINISHED))

    assert WORDS["no_answer"] in side(cut).split("<details", 1)[0]


def test_a_case_is_shown_with_options_and_statement_as_text() -> None:
    case = Case(
        text=MARKUP,
        language="en",
        language_found="given",
        options=("Yes", MARKUP),
        hypothesis=f"She breathes. {MARKUP}",
    )

    shown = review_cards.case(WORDS, case)

    assert "<script" not in shown
    assert shown.count("&lt;script&gt;") == 3
    assert WORDS["hypothesis"] in shown
