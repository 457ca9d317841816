"""The measurement of query modes: what was argued is kept, searched in every mode, and scored on the same questions."""

from pathlib import Path

import pytest

from agents.messages import ConceptChain, Side
from evaluation.argued import BUDGETS, Argued, ArguedFile, in_turns, sampled
from evaluation.collection import Collection, Question, Source, write_pack
from evaluation.query_modes import MODES, Modes, Scored, table
from evaluation.retrieval import Searched
from models.registry import Thresholds
from tests.knowledge.conftest import HashingEmbedder

ANSWERS = {
    "fever": "Paracetamol lowers the fever of a child.",
    "cough": "Honey soothes the cough of a child above one year.",
    "burn": "Cool a burn with running water for twenty minutes.",
}
QUESTIONS = tuple(
    Question(name, {"en": f"What helps against {name}?", "es": name}, frozenset({name})) for name in ANSWERS
)
LIMITS = Thresholds(synonym=0.9, related=0.5, support=0.5, typical=0.0, relevance=0.1)


def pack(folder: Path, language: str) -> Path:
    return write_pack(folder, "answers", language, {f"{name}.txt": Source(text) for name, text in ANSWERS.items()})


def chain(side: Side, *concepts: str) -> ConceptChain:
    return ConceptChain(side=side, language="en", status="listed", concepts=concepts)


def argued(question: str, text: str, *concepts: str, language: str = "en") -> Argued:
    return Argued(
        collection="small",
        id=question,
        language=language,
        text=text,
        english=text,
        english_chain=chain("english", *concepts),
        local_chain=chain("local"),
        model="test",
        budgets=BUDGETS,
        seconds=1.0,
    )


@pytest.fixture
def modes(tmp_path: Path) -> Modes:
    embedder = HashingEmbedder()
    searched = Searched(Collection("small", QUESTIONS, pack, (("en", "en"),)), tmp_path, embedder, typical=0.0)
    return Modes(searched, lambda names: embedder.embed_queries(list(names)), LIMITS)


def test_concepts_find_what_the_question_does_not_say(modes: Modes) -> None:
    (scored,) = modes.scored(argued("burn", "zzz qqq", "running water", "cool a burn"))

    assert scored.ndcg["question"] < 1.0
    assert (scored.ndcg["concept"], scored.ndcg["chain"], scored.recall["concept"]) == (1.0, 1.0, 1.0)


def test_without_concepts_every_mode_asks_the_question(modes: Modes) -> None:
    (scored,) = modes.scored(argued("cough", "honey for a cough"))

    assert (scored.concepts, set(scored.ndcg.values())) == (0, {1.0})


def test_a_foreign_question_is_scored_in_its_language_and_in_english(modes: Modes) -> None:
    own, english = modes.scored(argued("cough", "honey for a cough", language="es"))

    assert (own.asked, own.answered, own.ndcg["question"]) == ("es", "es", 0.0)
    assert (english.asked, english.answered, english.ndcg["question"]) == ("es", "en", 1.0)


def test_what_was_argued_is_read_again_without_a_line_that_was_cut_off(tmp_path: Path) -> None:
    file, first, second = ArguedFile(tmp_path / "chains.jsonl"), argued("burn", "a"), argued("cough", "b")
    file.append(first)
    with (tmp_path / "chains.jsonl").open("a") as cut:
        cut.write('{"collection": "sm')

    file.append(second)

    assert file.read() == (first, second)


def test_a_sample_holds_only_the_held_out_half_and_is_the_same_in_every_language() -> None:
    others = tuple(
        Question(name, {"en": f"What helps against {name}?", "es": name}, frozenset()) for name in ("rash", "pain")
    )
    collection = Collection("small", (*others, *QUESTIONS), pack, ())

    english = sampled(collection, "en", 9)

    assert english == sampled(collection, "es", 9)
    assert {question.id for question in english} == {"fever", "cough", "burn"}


def test_lists_are_taken_in_turns() -> None:
    lists = [[("x", "en", question) for question in QUESTIONS], [("x", "es", QUESTIONS[0])]]

    assert [(language, q.id) for _, language, q in in_turns(lists)] == [
        ("en", "fever"),
        ("es", "fever"),
        ("en", "cough"),
        ("en", "burn"),
    ]


def test_the_table_compares_modes_on_the_same_questions() -> None:
    better = dict(zip(MODES, (0.5, 0.5, 1.0), strict=True))
    scored = [Scored("small", "en", "en", 3, better, better)] * 3

    lines = list(table(scored, "ndcg"))

    assert lines[2].startswith("| small | en → en | 3 | 0.500 [0.500, 0.500] | 0.500 [0.500, 0.500] | 1.000 ")
    assert lines[2].endswith("| 0.000 [0.000, 0.000] | 0.500 [0.500, 0.500] |")
    assert len(lines) == 5
