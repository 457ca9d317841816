from pathlib import Path

import pytest

import knowledge
from evaluation.collection import (
    Question,
    Source,
    collections,
    five_languages,
    four_languages,
    starter_guidelines,
    write_pack,
)
from knowledge.ingest import read_documents

STARTER = Path(knowledge.__file__).parent / "starter"


def test_every_starter_topic_is_asked_in_every_language() -> None:
    collection = starter_guidelines(STARTER)

    topics = {path.stem for path in (STARTER / "en").glob("*.md")}
    assert {name for question in collection.questions for name in question.answers} == topics
    assert {tuple(sorted(question.texts)) for question in collection.questions} == {
        tuple(sorted(path.parent.name for path in STARTER.glob("*/pack.toml")))
    }


def test_questions_on_the_starter_guidelines_are_asked_in_each_language_and_of_english() -> None:
    pairs = starter_guidelines(STARTER).pairs

    assert ("ko", "ko") in pairs
    assert ("ko", "en") in pairs
    assert pairs.count(("en", "en")) == 1


def test_texts_become_a_pack_that_is_read_as_it_was_written(tmp_path: Path) -> None:
    documents = {"a.txt": Source("発熱があれば受診する。"), "b.txt": Source("Drink.", "Water", "en")}
    folder = write_pack(tmp_path, "answers", "ja", documents)

    pack = read_documents(folder)

    assert [(p.document_title, p.text, p.language) for p in pack.passages] == [
        ("Answer", "発熱があれば受診する。", "ja"),
        ("Water", "Drink.", "en"),
    ]


def test_a_question_is_in_the_same_half_however_its_punctuation_is_written() -> None:
    plain, escaped = (
        Question(str(number), {"en": text}, frozenset())
        for number, text in enumerate(
            ("I can't sleep: since the operation on my knee?", "I can&apos;t sleep since the operation on my knee")
        )
    )

    assert (plain.key, plain.held_out) == (escaped.key, escaped.held_out)


def test_the_shared_collections_ask_what_their_sources_say(shared_data: Path) -> None:
    five, four = five_languages(shared_data), four_languages(shared_data)

    assert len(five.questions) == 96
    assert {len(question.texts) for question in five.questions} == {5}
    assert len(four.questions) == 245
    assert sum(len(question.answers) for question in four.questions) == 246


def test_tuning_and_held_out_half_are_about_as_large(shared_data: Path) -> None:
    for collection in collections(shared_data, STARTER):
        held_out = sum(question.held_out for question in collection.questions)
        assert held_out / len(collection.questions) == pytest.approx(0.5, abs=0.15)


def test_a_question_of_both_live_qa_collections_is_in_the_same_half_of_both(shared_data: Path) -> None:
    halves = [
        {question.key: question.held_out for question in collection.questions}
        for collection in (five_languages(shared_data), four_languages(shared_data))
    ]

    shared = halves[0].keys() & halves[1].keys()
    assert len(shared) > 80
    assert [key for key in shared if halves[0][key] != halves[1][key]] == []


def test_every_answer_is_a_document_of_its_pack(shared_data: Path, tmp_path: Path) -> None:
    collection = four_languages(shared_data)

    for language in ("en", "zh", "es", "hi"):
        documents = {path.stem for path in collection.pack(tmp_path, language).glob("*.txt")}
        assert {name for question in collection.questions for name in question.answers} <= documents


def test_a_collection_can_be_kept_to_some_languages() -> None:
    assert starter_guidelines(STARTER).among(["en", "ja"]).pairs == (("en", "en"), ("ja", "ja"), ("ja", "en"))
