"""The benchmarks that are one file after the other: FrenchMedMCQA, JMMLU, MMedBench, Global-MMLU and MMLU-ProX."""

import json
from collections import Counter
from pathlib import Path

import pytest

from evaluation.benchmark import faults
from evaluation.benchmarks import benchmark
from evaluation.errors import MalformedFile
from tests.evaluation.benchmarks.files import json_lines, parquet

FRENCH, JMMLU, MMED = (benchmark(name) for name in ("frenchmedmcqa", "jmmlu-medical", "mmedbench"))
GLOBAL, PROX = benchmark("global-mmlu-medical"), benchmark("mmlu-prox-health")


def french(name: str, *right: str) -> dict[str, object]:
    return {"id": name, "question": "Q", "answers": {"a": "A", "b": "B", "c": "C"}, "correct_answers": right}


def test_frenchmedmcqa_has_several_right_answers_by_their_places(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/dev.json").write_text(json.dumps([french("x", "c", "a")]))

    (found,) = FRENCH.load(tmp_path, "fr")

    assert (found.task, found.right, found.options) == ("choices", (0, 2), ("A", "B", "C"))


def test_the_shared_test_set_of_frenchmedmcqa_has_as_many_answers_as_its_authors_count(shared_data: Path) -> None:
    items = FRENCH.load(shared_data, "fr")

    assert Counter(len(one.right) for one in items) == {1: 321, 2: 97, 3: 141, 4: 56, 5: 7}
    assert not list(faults(items))


def test_jmmlu_names_a_row_by_its_content(tmp_path: Path) -> None:
    rows = ["肺は？,胸,腹,頭,足,A", "胃は？,胸,腹,頭,足,B"]
    (tmp_path / "anatomy.csv").write_text("\ufeff" + "\n".join(rows), "utf-8")
    before = {one.id: one.right for one in JMMLU.load(tmp_path, "ja")}

    (tmp_path / "anatomy.csv").write_text("\n".join(reversed(rows)), "utf-8")

    assert {one.id: one.right for one in JMMLU.load(tmp_path, "ja")} == before
    assert sorted(before.values()) == [(0,), (1,)]


def test_a_row_of_jmmlu_with_another_letter_is_named(tmp_path: Path) -> None:
    (tmp_path / "virology.csv").write_text("q,a,b,c,d,A\nq,a,b,c,d,E\n")

    with pytest.raises(MalformedFile, match=r"virology\.csv, line 2: answer"):
        JMMLU.load(tmp_path, "ja")


def test_the_shared_jmmlu_has_three_questions_with_twin_options_that_are_not_asked(shared_data: Path) -> None:
    items = JMMLU.load(shared_data, "ja")

    assert len({one.key for one in items}) == len(items) == 1273
    assert Counter(fault.kind for fault in faults(items)) == {"twin options": 3, "excluded": 3}


def mmed(question: str, answer: str | list[str]) -> dict[str, object]:
    options = {"A": "a", "B": "b", "C": "c"}
    return {"question": question, "options": options, "answer_idx": answer, "rationale": "r", "human_checked": True}


@pytest.mark.parametrize("answer", ["A,C", ["C", "A"]])
def test_mmedbench_may_have_several_right_answers(tmp_path: Path, answer: str | list[str]) -> None:
    json_lines(tmp_path / "Test/French.jsonl", [mmed("1", answer), mmed("2", "B")])

    first, second = MMED.load(tmp_path, "fr")

    assert (first.task, first.right) == ("choices", (0, 2))
    assert (second.task, second.right) == ("choices", (1,))


def test_mmedbench_with_one_right_answer_each_is_a_choice_of_one(tmp_path: Path) -> None:
    json_lines(tmp_path / "MMedBench/Test/Japanese.jsonl", [mmed("1", "C")])

    (found,) = MMED.load(tmp_path, "ja")

    assert (found.task, found.right) == ("choice", (2,))


def test_a_letter_that_is_no_option_of_mmedbench_is_no_right_answer(tmp_path: Path) -> None:
    json_lines(tmp_path / "Test/English.jsonl", [mmed("1", "E")])

    assert MMED.load(tmp_path, "en")[0].excluded == "the file says no right answer"


def test_the_same_row_twice_in_mmedbench_is_kept_and_told(tmp_path: Path) -> None:
    json_lines(tmp_path / "Test/English.jsonl", [mmed("1", "A"), mmed("1", "A")])

    first, second = MMED.load(tmp_path, "en")

    assert second.family == first.id
    assert [fault.kind for fault in faults([second])] == ["the same row again"]


def world(name: str, text: str, answer: str = "D", category: str = "Medical") -> dict[str, object]:
    options = {f"option_{letter}": f"{text} {letter}" for letter in "abcd"}
    return {"sample_id": name, "subject_category": category, "question": text, **options, "answer": answer}


def test_global_mmlu_is_aligned_with_english_by_its_id(tmp_path: Path) -> None:
    parquet(tmp_path / "ja/test-00000-of-00001.parquet", [world("anatomy/test/0", "肺"), world("anatomy/test/1", "胃")])
    parquet(
        tmp_path / "en/test-00000-of-00001.parquet", [world("anatomy/test/1", "gut"), world("anatomy/test/0", "lung")]
    )

    found = GLOBAL.load(tmp_path, "ja")

    assert GLOBAL.languages(tmp_path) == ("en", "ja")
    assert [(one.text, one.english) for one in found] == [("肺", "lung"), ("胃", "gut")]
    assert found[0].english_options[found[0].right[0]] == "lung d"


def test_global_mmlu_takes_medical_subjects_only(tmp_path: Path) -> None:
    rows = [world("a", "lung"), world("b", "law", category="Humanities")]
    parquet(tmp_path / "en/test-00000-of-00001.parquet", rows)

    assert [one.id for one in GLOBAL.load(tmp_path, "en")] == ["a"]


def test_a_translation_of_global_mmlu_with_another_answer_is_not_asked(tmp_path: Path) -> None:
    parquet(tmp_path / "ja/test-00000-of-00001.parquet", [world("a", "肺", "A")])
    parquet(tmp_path / "en/test-00000-of-00001.parquet", [world("a", "lung", "B")])

    assert GLOBAL.load(tmp_path, "ja")[0].excluded == "the right answer is another one in en"


def test_global_mmlu_is_read_from_csv_too(tmp_path: Path) -> None:
    row = world("a", "lung")
    (tmp_path / "en").mkdir()
    (tmp_path / "en/test.csv").write_text(",".join(row) + "\n" + ",".join(map(str, row.values())) + "\n")

    assert GLOBAL.load(tmp_path, "en")[0].right == (3,)


def prox(name: int, index: int, options: int = 10, answer: str = "", category: str = "health") -> dict[str, object]:
    texts = {f"option_{number}": f"o{number}" if number < options else None for number in range(10)}
    told = {"answer": answer or "ABCDEFGHIJ"[index], "answer_index": index, "category": category, "src": "x"}
    return {"question_id": name, "question": f"q{name}", **texts, **told}


def test_mmlu_prox_has_up_to_ten_options(tmp_path: Path) -> None:
    parquet(tmp_path / "ja/test-00000-of-00001.parquet", [prox(1, 9), prox(2, 3, options=4)])

    first, second = PROX.load(tmp_path, "ja")

    assert (len(first.options), first.right) == (10, (9,))
    assert (len(second.options), second.right) == (4, (3,))


def test_mmlu_prox_takes_health_only(tmp_path: Path) -> None:
    parquet(tmp_path / "en/test-00000-of-00001.parquet", [prox(1, 0), prox(2, 0, category="law")])

    assert [one.id for one in PROX.load(tmp_path, "en")] == ["1"]


def test_an_empty_option_before_the_right_one_moves_it_up(tmp_path: Path) -> None:
    parquet(tmp_path / "en/test-00000-of-00001.parquet", [prox(1, 3) | {"option_1": "N/A"}])

    (found,) = PROX.load(tmp_path, "en")

    assert found.options[found.right[0]] == "o3"


def test_letter_and_number_that_differ_are_no_right_answer(tmp_path: Path) -> None:
    parquet(tmp_path / "en/test-00000-of-00001.parquet", [prox(1, 3, answer="A")])

    assert PROX.load(tmp_path, "en")[0].excluded == "letter and number of the right answer differ"
