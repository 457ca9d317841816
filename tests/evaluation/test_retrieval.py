from math import log2
from pathlib import Path

import pytest

from evaluation.collection import Collection, Question, Source, write_pack
from evaluation.retrieval import Measured, Searched, measurements, ndcg, recall, reciprocal_rank_fusion, table
from tests.knowledge.conftest import HashingEmbedder

ANSWERS = {
    "fever": "Paracetamol lowers the fever of a child.",
    "cough": "Honey soothes the cough of a child above one year.",
    "burn": "Cool a burn with running water for twenty minutes.",
}


def pack(folder: Path, language: str) -> Path:
    return write_pack(folder, "answers", language, {f"{name}.txt": Source(text) for name, text in ANSWERS.items()})


@pytest.fixture
def searched(tmp_path: Path) -> Searched:
    questions = tuple(
        Question(name, {"en": f"{name}: what helps a child?"}, frozenset({name})) for name in ("fever", "cough", "burn")
    )
    collection = Collection("small", questions, pack, (("en", "en"),))
    return Searched(collection, tmp_path, HashingEmbedder(), typical=0.0)


def test_ndcg_discounts_what_comes_late() -> None:
    relevant = frozenset({"a", "b"})

    ideal = 1 + 1 / log2(3)
    assert ndcg(["a", "b", "x"], relevant) == 1.0
    assert ndcg(["x", "a", "y", "b"], relevant) == pytest.approx((1 / log2(3) + 1 / log2(5)) / ideal)


def test_ndcg_ends_at_its_cut() -> None:
    assert ndcg(["x"] * 10 + ["a"], frozenset({"a"})) == 0.0
    assert ndcg(["x", "a"], frozenset({"a"}), cut=2) == pytest.approx(1 / log2(3))


def test_recall_is_the_share_of_what_answers() -> None:
    assert recall(["a", "x"], frozenset({"a", "b"})) == 0.5


def test_reciprocal_rank_fusion_sums_reciprocal_ranks() -> None:
    # a: 1/61 + 1/63, b: 1/62 + 1/61, c: 1/62
    assert reciprocal_rank_fusion([["a", "b"], ["b", "c", "a"]]) == ["b", "a", "c"]


def test_no_rankings_fuse_to_nothing() -> None:
    assert reciprocal_rank_fusion([[], []]) == []


def test_every_way_of_searching_is_measured_on_every_question(searched: Searched) -> None:
    [measured] = measurements(searched, "all", None)

    assert set(measured.ndcg) == set(measured.recall) == {"full text", "dense", "rank fusion", "hybrid"}
    assert {len(values) for values in measured.ndcg.values()} == {3}
    assert measured.ndcg["full text"] == [1.0, 1.0, 1.0]
    assert measured.recall["hybrid"] == [1.0, 1.0, 1.0]


def test_the_halves_share_no_question(searched: Searched) -> None:
    halves = [set(next(measurements(searched, half, None)).questions) for half in ("tuning", "held-out")]

    assert halves[0] & halves[1] == set()
    assert len(halves[0] | halves[1]) == 3


def test_a_table_has_a_row_a_pair_and_compares_hybrid_with_the_better_of_the_others() -> None:
    scores = {"full text": [0.0, 0.5], "dense": [0.5, 0.5], "hybrid": [1.0, 0.5]}
    measured = [Measured("c", asked, "en", ("first", "second"), scores, scores) for asked in ("en", "ja")]

    lines = list(table(measured, lambda m: m.ndcg))

    assert lines[2].startswith(
        "| c | en → en | 2 | 0.250 [0.000, 0.500] | 0.500 [0.500, 0.500] | 0.750 [0.500, 1.000] |"
    )
    assert lines[2].endswith("| 0.250 [0.000, 0.500] (dense) |")
    assert [line.split(" | ")[1] for line in lines[3:]] == ["ja → en", "same language", "to English"]


def test_a_question_in_two_languages_counts_once_in_the_mean() -> None:
    def measured(asked: str, score: float) -> Measured:
        scores = {way: [score, 0.0] for way in ("full text", "dense", "hybrid")}
        return Measured("c", asked, asked, ("first", "second"), scores, scores)

    lines = list(
        table([measured("es", 1.0), measured("ja", 0.5), Measured("c", "es", "en", ("a", "b"), *_zeros())], _ndcg)
    )

    assert "| all | same language | 2 | 0.375 [0.000, 0.750] |" in lines[-2]


def _zeros() -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    scores = {way: [0.0, 0.0] for way in ("full text", "dense", "hybrid")}
    return scores, scores


def _ndcg(measured: Measured) -> dict[str, list[float]]:
    return measured.ndcg
