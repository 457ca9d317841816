"""Every citation that is shown can be followed to its document; one that can't be is told with the reason."""

import shutil
from pathlib import Path

import pytest

from agents.messages import CitedPassage
from evaluation.citations import Asked, beginnings, follow, followed, starter_questions, table
from evaluation.retrieval import STARTER
from knowledge.passage import Passage
from knowledge.store import KnowledgeStore
from tests.knowledge.conftest import HashingEmbedder


@pytest.fixture(scope="module")
def spanish(tmp_path_factory: pytest.TempPathFactory) -> KnowledgeStore:
    """The Spanish guidelines that ship."""
    store = KnowledgeStore(tmp_path_factory.mktemp("citations"), HashingEmbedder())
    store.add(STARTER / "es")
    return store


def shown(passage: Passage) -> CitedPassage:
    return CitedPassage(number=1, passage=passage, similarity=0.9, score=1.0, relevant=True, expired=False)


def test_every_citation_of_the_guidelines_that_ship_resolves(spanish: KnowledgeStore) -> None:
    questions = [asked for asked in starter_questions() if asked.language == "es"]

    found = list(followed(spanish, questions, relevance=0.0, typical=0.0))

    assert len(found) >= len(questions)
    assert [one for one in found if one.problems] == []


def test_every_citation_of_a_pdf_resolves_to_its_page(shared_data: Path, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    shutil.copy(shared_data / "documents" / "pdf" / "multicolumn.pdf", tmp_path / "papers")
    store = KnowledgeStore(tmp_path / "store", HashingEmbedder())
    store.add(tmp_path / "papers", language="en")

    found = list(followed(store, beginnings(store, "papers"), relevance=0.0, typical=0.0))

    assert found
    assert [one for one in found if one.problems or not one.paged] == []


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"text": "Give nothing."}, "the document has another text in its span"),
        ({"sha256": "sha256:0"}, "its text doesn't have its hash"),
        ({"id": "psg_0"}, "its id isn't that of its place"),
        ({"page": 7}, "it doesn't start on its page"),
        ({"section": ("Elsewhere",)}, "it doesn't stand under its headings"),
    ],
)
def test_what_does_not_resolve_is_told(spanish: KnowledgeStore, changed: dict[str, object], problem: str) -> None:
    passage = spanish.passages("starter-es")[0].model_copy(update=changed)

    assert problem in follow(spanish, shown(passage)).problems


def test_a_document_that_is_not_there_is_told(spanish: KnowledgeStore) -> None:
    passage = spanish.passages("starter-es")[0].model_copy(update={"document": "0" * 64})

    (problem,) = follow(spanish, shown(passage)).problems

    assert "is not in this knowledge base" in problem


def test_the_table_counts_what_resolves(spanish: KnowledgeStore) -> None:
    passage = spanish.passages("starter-es")[0]
    found = [follow(spanish, shown(one)) for one in (passage, passage.model_copy(update={"id": "psg_0"}))]

    assert list(table(found))[1:] == [
        "| starter-es | 2 | 0 | 1 (50.0%) |",
        "| all | 2 | 0 | 1 (50.0%) |",
        "\nits id isn't that of its place: 1",
    ]


def test_the_questions_are_in_every_language_of_the_guidelines() -> None:
    assert {asked.language for asked in starter_questions()} == {
        path.parent.name for path in STARTER.glob("*/pack.toml")
    }


def test_beginnings_ask_for_what_is_there(spanish: KnowledgeStore) -> None:
    first = next(beginnings(spanish, "starter-es"))

    assert first == Asked("es", spanish.passages("starter-es")[0].text[:80])
