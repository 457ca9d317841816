"""The store and the search with the embedder that ships, on the small packs of five languages."""

from pathlib import Path

import pytest

from knowledge.search import search
from knowledge.store import KnowledgeStore
from models.embedder import Embedder
from models.registry import Registry
from tests.knowledge.conftest import GUIDELINES, TODAY, PackMaker

CARD = Registry.load().card("multilingual-e5-small")
assert CARD.thresholds is not None
RELEVANCE, TYPICAL = CARD.thresholds.relevance, CARD.thresholds.typical


@pytest.fixture(scope="module")
def real_embedder(models_folder: Path) -> Embedder:
    return Embedder(models_folder / CARD.name, CARD)


@pytest.fixture
def guidelines(real_embedder: Embedder, make_pack: PackMaker, tmp_path: Path) -> KnowledgeStore:
    store = KnowledgeStore(tmp_path / "store", real_embedder)
    for language in GUIDELINES:
        store.add(make_pack(language))
    return store


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "How do I tell whether the infant breathes too fast?"),
        ("ja", "乳児の呼吸が速いかどうか、どう見分けますか。"),
        ("th", "จะรู้ได้อย่างไรว่าเด็กหายใจเร็ว"),
        ("ar", "كيف أعرف أن تنفس الطفل سريع؟"),
        ("ko", "아이의 호흡이 빠른지 어떻게 알 수 있습니까?"),
    ],
)
def test_a_paraphrased_question_is_nearest_to_what_answers_it_in_its_language(
    guidelines: KnowledgeStore, language: str, question: str
) -> None:
    found = search(guidelines, [question], languages=[language], today=TODAY, relevance=RELEVANCE, typical=TYPICAL)

    nearest = next(hit for hit in found if hit.rank_dense == 1)
    assert nearest.passage.section == (next(iter(GUIDELINES[language][3])),)


def test_an_english_question_finds_the_treatment_in_every_language(guidelines: KnowledgeStore) -> None:
    question = ["oral antibiotic treatment twice a day for five days"]

    found = {
        language: search(guidelines, question, languages=[language], limit=1, today=TODAY, relevance=0)[0]
        for language in GUIDELINES
    }

    assert {language: hit.passage.text for language, hit in found.items()} == {
        language: list(sections.values())[1] for language, (_, _, _, sections) in GUIDELINES.items()
    }


def test_what_answers_is_relevant_and_what_has_nothing_to_do_with_it_is_not(guidelines: KnowledgeStore) -> None:
    answered, unanswered = (
        search(guidelines, [question], languages=["en"], limit=1, today=TODAY, relevance=RELEVANCE, typical=TYPICAL)[0]
        for question in ("When must a child with pneumonia be referred?", "What is the capital of France?")
    )

    assert (answered.relevant, unanswered.relevant) == (True, False)


def test_a_store_built_with_it_opens_with_it_and_answers_the_same(
    guidelines: KnowledgeStore, real_embedder: Embedder
) -> None:
    reopened = KnowledgeStore(guidelines.folder, real_embedder)

    assert search(reopened, ["oxygen"], languages=None, today=TODAY, relevance=0) == search(
        guidelines, ["oxygen"], languages=None, today=TODAY, relevance=0
    )
