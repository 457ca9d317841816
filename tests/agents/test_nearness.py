"""How near a sentence is to what it cites, in its language and in another."""

from pathlib import Path

import pytest

from agents.nearness import Nearness
from agents.team import Thresholds
from knowledge.ingest import read_documents
from knowledge.shipped import starter_packs, typical_sentences
from models.embedder import Embedder
from tests.agents.cases import cited

AMOXICILLIN = cited(
    1,
    "Childhood pneumonia without danger signs: oral amoxicillin at home.\n"
    "Chest X-ray is not needed for non-severe childhood pneumonia.",
)
STROKE = cited(2, "In suspected stroke check glucose at once and refer for imaging within the hour.")


@pytest.mark.parametrize(
    ("spoken", "sentence"),
    [
        ("ko", "위험 징후가 없는 소아 폐렴은 집에서 아목시실린을 경구로 준다."),
        ("ja", "危険な徴候のない小児肺炎では、自宅でアモキシシリンを経口投与する。"),
        ("es", "Neumonía infantil sin signos de peligro: amoxicilina oral en casa."),
    ],
)
def test_across_languages_a_sentence_is_near_to_the_passage_that_says_it_and_to_no_other(
    embedder: Embedder, thresholds: Thresholds, spoken: str, sentence: str
) -> None:
    nearness = Nearness(embedder, thresholds.support, thresholds.across)

    assert nearness.near(sentence, spoken, [AMOXICILLIN])
    assert nearness.near(sentence, spoken, [STROKE, AMOXICILLIN])
    assert not nearness.near(sentence, spoken, [STROKE])


def test_without_typical_sentences_the_whole_passage_decides(embedder: Embedder) -> None:
    french = "Pneumonie de l'enfant sans signe de danger : amoxicilline par voie orale à la maison."
    cosine = embedder.embed_queries([french])[0] @ embedder.embed_passages([AMOXICILLIN.passage.text])[0]

    assert typical_sentences("fr") == ()
    for support, near in ((float(cosine) - 0.001, True), (float(cosine) + 0.001, False)):
        assert Nearness(embedder, support, across=0.99).near(french, "fr", [AMOXICILLIN]) == near


def test_a_language_may_have_a_value_of_its_own(embedder: Embedder, thresholds: Thresholds) -> None:
    sentence = "위험 징후가 없는 소아 폐렴은 집에서 아목시실린을 경구로 준다."
    strict = Nearness(embedder, thresholds.support, 0.99, {"ja": 0.0})
    own = Nearness(embedder, thresholds.support, 0.99, {"ko": 0.0})

    assert not strict.near(sentence, "ko", [AMOXICILLIN])
    assert own.near(sentence, "ko", [AMOXICILLIN])


def test_nothing_cited_is_near_to_nothing(embedder: Embedder) -> None:
    assert not Nearness(embedder, 0.0, 0.0).near("Give amoxicillin.", "en", [])


@pytest.mark.parametrize("pack", starter_packs(), ids=lambda pack: pack.name)
def test_typical_sentences_are_those_of_the_shipped_guidelines(pack: Path) -> None:
    texts = [passage.text for document in read_documents(pack).documents for passage in document.passages]

    sentences = typical_sentences(pack.name)

    assert len(set(sentences)) == 16
    assert all(any(sentence in text for text in texts) for sentence in sentences)
