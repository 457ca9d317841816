from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge.errors import KnowledgeBaseMissing
from knowledge.passage import ScoredPassage
from knowledge.search import WORDS, Rerank, search
from knowledge.store import KnowledgeStore
from knowledge.table import Vectors, only
from tests.knowledge.conftest import GUIDELINES, TODAY, HashingEmbedder, PackMaker


class Speechless(HashingEmbedder):
    def embed_queries(self, texts: list[str]) -> Vectors:
        return np.zeros((len(texts), self.dimension), np.float32)

    embed_passages = HashingEmbedder.embed_passages


def find(store: KnowledgeStore, *queries: str, languages: list[str] | None = None) -> tuple[ScoredPassage, ...]:
    return search(store, queries, languages=languages, today=TODAY, relevance=0.3)


@pytest.mark.parametrize(
    ("language", "word"),
    [("en", "amoxicillin"), ("ja", "アモキシシリン"), ("th", "รับประทาน"), ("ar", "أموكسيسيلين"), ("ko", "아목시실린")],
)
def test_a_word_finds_its_passage_in_every_script(filled: KnowledgeStore, language: str, word: str) -> None:
    best = find(filled, word, languages=[language])[0]

    treatment = list(GUIDELINES[language][3].values())[1]
    assert best.passage.text == treatment
    assert best.rank_text == 1
    assert best.rank_dense == 1


@pytest.mark.parametrize("word", ["呼吸数", "紹介する", "หายใจ", "โรงพยาบาล", "المستشفى", "폐렴 호흡수를", "닷새"])
def test_words_are_found_inside_unspaced_and_inflected_text(filled: KnowledgeStore, word: str) -> None:
    assert filled.table.matching(word, None, 10)


def test_chinese_words_are_found(store: KnowledgeStore, make_pack: PackMaker) -> None:
    body = "# 儿童肺炎\n\n## 治疗\n\n口服阿莫西林，每日两次。\n\n## 转诊\n\n不能饮水时立即转往医院。"
    store.add(make_pack("en", name="test-zh", language="zh-Hans", jurisdiction="CN", files={"a.md": body}))

    assert [p.passage.section for p in find(store, "医院", languages=["zh-Hant"]) if p.rank_text] == [
        ("儿童肺炎", "转诊")
    ]


def test_a_korean_noun_is_found_with_another_particle(filled: KnowledgeStore) -> None:
    assert filled.table.matching("아목시실린은", None, 1) == filled.table.matching("아목시실린은", None, 10)[:1]
    assert "아목시실린을" in filled.passage(filled.table.matching("아목시실린은", None, 1)[0][0]).text


def test_only_the_asked_languages_are_searched(filled: KnowledgeStore) -> None:
    found = find(filled, "amoxicillin アモキシシリン", languages=["ja", "ar-EG"])

    assert {p.passage.language for p in found} == {"ja", "ar"}


def test_a_region_is_no_barrier(store: KnowledgeStore, make_pack: PackMaker) -> None:
    store.add(make_pack("en", language="en-GB"))

    assert find(store, "amoxicillin", languages=["en"]) == find(store, "amoxicillin", languages=["en-US"]) != ()


def test_only_the_asked_jurisdictions_are_searched(filled: KnowledgeStore) -> None:
    found = search(filled, ["x"], languages=None, jurisdictions=["jp", "KR"], limit=9, today=TODAY, relevance=0)

    assert {p.passage.jurisdiction for p in found} == {"JP", "KR"}


def test_only_the_asked_packs_are_searched(filled: KnowledgeStore) -> None:
    packs = ["test-ja", "test-ar"]

    found = search(filled, ["amoxicillin"], languages=None, packs=packs, limit=9, today=TODAY, relevance=0)

    assert {p.passage.pack for p in found} == set(packs)


def test_filters_are_all_to_be_passed(filled: KnowledgeStore) -> None:
    def found(**filters: list[str]) -> tuple[ScoredPassage, ...]:
        everything = {"languages": None, **filters}
        return search(filled, ["x"], **everything, today=TODAY, relevance=0)  # type: ignore[arg-type]  # only lists

    assert found(languages=["ja"], jurisdictions=["JP"], packs=["test-ja"]) != ()
    assert found(languages=["ja"], jurisdictions=["KR"], packs=["test-ja"]) == ()
    assert found(languages=["ja"], jurisdictions=["JP"], packs=["test-ko"]) == ()


@pytest.mark.parametrize("filter_", ["languages", "jurisdictions", "packs"])
def test_filters_that_admit_nothing_find_nothing(filled: KnowledgeStore, filter_: str) -> None:
    filters: dict[str, list[str] | None] = {"languages": None, filter_: []}

    assert search(filled, ["x"], **filters, today=TODAY, relevance=0) == ()  # type: ignore[arg-type]  # only lists


@pytest.mark.parametrize("hostile", ["en' OR '1'='1", "en') --", "\0", ""])
def test_a_filter_is_a_value_and_never_a_condition(filled: KnowledgeStore, hostile: str) -> None:
    assert find(filled, "amoxicillin", languages=[hostile]) == ()


def test_the_same_question_gives_the_same_answer(filled: KnowledgeStore, embedder: HashingEmbedder) -> None:
    queries = ["how is pneumonia treated in children", "肺炎", "호흡수"]

    answers = {find(filled, *queries) for _ in range(5)}
    answers.add(find(KnowledgeStore(filled.folder, embedder), *queries))

    assert len(answers) == 1


def test_several_threads_can_search_at_once(filled: KnowledgeStore) -> None:
    queries = ["amoxicillin", "肺炎", "호흡수", "หายใจ"] * 8
    expected = [find(filled, query) for query in queries]

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda query: find(filled, query), queries))

    assert answers == expected


def test_results_come_best_first_and_no_more_than_asked(filled: KnowledgeStore) -> None:
    found = search(filled, ["child"], languages=None, limit=4, today=TODAY, relevance=0)

    assert len(found) == 4
    assert [p.score for p in found] == sorted((p.score for p in found), reverse=True)


def test_a_score_is_the_lift_and_the_weighted_match_of_words_as_shares_of_the_best(filled: KnowledgeStore) -> None:
    query = "oral amoxicillin for fast breathing"

    found = find(filled, query, languages=["en"])

    words = dict(filled.table.matching(query, only(["en"], None), 10))
    best_lift, best_match = max(hit.lift or 0.0 for hit in found), max(words.values())
    assert len(words) == 2  # so that one passage matches by its vector alone
    assert [hit.score for hit in found] == pytest.approx(
        [(hit.lift or 0.0) / best_lift + WORDS * words.get(hit.passage.id, 0.0) / best_match for hit in found], abs=1e-5
    )


def test_several_queries_are_fused(filled: KnowledgeStore) -> None:
    found = find(filled, "count the breaths", "oral amoxicillin", languages=["en"])

    assert {p.passage.section for p in found[:2]} == {("Recognise",), ("Treat",)}
    assert {p.rank_text for p in found[:2]} == {1}


def test_similarity_is_the_highest_cosine_to_the_passage_under_its_headings(
    filled: KnowledgeStore, embedder: HashingEmbedder
) -> None:
    queries = ["Give oral amoxicillin, 40 mg/kg", "zzz"]

    found = find(filled, *queries, languages=["en"])

    for hit in found:
        cosines = embedder.embed_queries(queries) @ embedder.embed_passages([hit.passage.in_context])[0]
        assert hit.similarity == pytest.approx(float(cosines.max()), abs=1e-6)
    assert found[0].passage.in_context.startswith("Pneumonia in children / Treat\nGive oral")


def test_a_passage_is_relevant_by_how_far_it_exceeds_what_the_query_has_to_any(filled: KnowledgeStore) -> None:
    # A mean over the store's 3 English passages, with the typical cosine weighing as much as 30 more.
    def found(relevance: float) -> tuple[ScoredPassage, ...]:
        query = ["Give oral amoxicillin, 40 mg/kg"]
        return search(filled, query, languages=["en"], today=TODAY, relevance=relevance, typical=0.2)

    cosines = [hit.similarity or 0.0 for hit in found(0)]
    baseline = (sum(cosines) + 30 * 0.2) / 33

    lifts = [hit.lift or 0.0 for hit in found(0)]
    assert lifts == pytest.approx([cosine - baseline for cosine in cosines], abs=1e-6)
    assert [hit.relevant for hit in found(lifts[0] - 1e-4)] == [True, False, False]
    assert [hit.relevant for hit in found(lifts[0] + 1e-4)] == [False, False, False]


def test_an_expired_guideline_is_flagged_and_still_found(store: KnowledgeStore, make_pack: PackMaker) -> None:
    store.add(make_pack())

    last_day, day_after = (
        search(store, ["amoxicillin"], languages=None, today=day, relevance=0)[0].expired
        for day in (date(2027, 11, 22), date(2027, 11, 23))
    )

    assert (last_day, day_after) == (False, True)


def test_the_same_text_in_two_packs_is_given_once_from_the_local_one(
    store: KnowledgeStore, make_pack: PackMaker
) -> None:
    store.add(make_pack("en", name="a-international"))
    store.add(make_pack("en", name="b-local", jurisdiction="KE"))

    found = find(store, "amoxicillin")

    assert len(found) == 3
    assert {p.passage.pack for p in found} == {"b-local"}


@pytest.mark.parametrize("local", ["a", "b"])
def test_the_same_text_in_two_documents_is_given_once_from_the_local_one(
    store: KnowledgeStore, make_pack: PackMaker, local: str
) -> None:
    # Equally near, one of the two ranks before the other by its id alone.
    for name in ("a", "b"):
        body = f"# T\n\n## Treat\n\nGive zinc.\n\n## Other\n\nOnly in {name}."
        jurisdiction = "KE" if name == local else "INT"
        store.add(make_pack("en", name=name, jurisdiction=jurisdiction, files={f"{name}.md": body}))

    found = find(store, "give zinc")

    assert [p.passage.text for p in found].count("Give zinc.") == 1
    assert (found[0].passage.text, found[0].passage.pack) == ("Give zinc.", local)
    assert [p.score for p in found] == sorted((p.score for p in found), reverse=True)


def test_local_guidelines_stand_before_international_ones_on_equal_score(tmp_path: Path, make_pack: PackMaker) -> None:
    # Each query matches the words of one passage and is near to none, so the two scores are equal.
    store = KnowledgeStore(tmp_path / "store", Speechless())
    store.add(make_pack("en", name="a", files={"a.md": "Zinc."}))
    store.add(make_pack("en", name="b", jurisdiction="KE", files={"a.md": "Oxygen."}))

    found = search(store, ["zinc", "oxygen"], languages=None, candidates=1, today=TODAY, relevance=0)

    assert found[0].score == found[1].score
    assert [p.passage.jurisdiction for p in found] == ["KE", "INT"]


@pytest.mark.parametrize(
    "query",
    [
        '"amoxicillin" AND NOT (x OR',
        "amoxicillin* ~2 ^3 +a -b [1 TO 2] field:x \\",
        "'; DROP TABLE passages; --",
        "amoxicillin " + "x" * 100_000,
        "amoxicillin\0\ud800\u202e",
        "amoxicillin " * 10_000,
    ],
)
def test_any_text_can_be_asked(filled: KnowledgeStore, query: str) -> None:
    assert find(filled, query, languages=["en"]) != ()


def test_a_reranker_orders_what_was_found_by_the_question_alone(filled: KnowledgeStore) -> None:
    asked: list[str] = []

    def longest_first(question: str, passages: Sequence[str]) -> NDArray[np.float32]:
        asked.append(question)
        return np.array([len(passage) for passage in passages], np.float32)

    def ask(rerank: Rerank | None) -> tuple[ScoredPassage, ...]:
        queries = ["amoxicillin", "oxygen"]
        return search(filled, queries, languages=["en"], limit=2, today=TODAY, relevance=0.3, rerank=rerank)

    lengths = [len(found.passage.in_context) for found in ask(longest_first)]

    assert asked == ["amoxicillin"]
    assert lengths == sorted(lengths, reverse=True)
    assert [found.score for found in ask(longest_first)] == lengths
    assert ask(longest_first) != ask(None)


@pytest.mark.parametrize("queries", [(), ("",), (" \n", "\0")])
def test_a_question_without_words_finds_nothing(filled: KnowledgeStore, queries: tuple[str, ...]) -> None:
    assert find(filled, *queries) == ()


def test_a_query_without_direction_has_no_similarity(tmp_path: Path, make_pack: PackMaker) -> None:
    store = KnowledgeStore(tmp_path / "store", Speechless())
    store.add(make_pack())

    hit = find(store, "amoxicillin")[0]

    assert (hit.similarity, hit.lift, hit.rank_dense, hit.relevant) == (None, None, None, False)


def test_without_an_embedder_words_alone_are_searched(filled: KnowledgeStore) -> None:
    words = KnowledgeStore(filled.folder, None)

    hit = find(words, "amoxicillin", languages=["en"])[0]

    assert "amoxicillin" in hit.passage.in_context.lower()
    assert (hit.similarity, hit.rank_dense, hit.rank_text) == (None, None, 1)


def test_without_an_embedder_a_passage_is_relevant_that_has_most_words_of_the_question(filled: KnowledgeStore) -> None:
    words = KnowledgeStore(filled.folder, None)
    question = "amoxicillin"

    (alone,) = {hit.relevant for hit in find(words, question, languages=["en"])[:1]}
    (among_others,) = {hit.relevant for hit in find(words, f"{question} {'snow ' * 30}", languages=["en"])[:1]}

    assert (alone, among_others) == (True, False)


def test_an_empty_store_says_what_to_do(store: KnowledgeStore) -> None:
    with pytest.raises(KnowledgeBaseMissing, match="coreasoner knowledge add"):
        find(store, "amoxicillin")
