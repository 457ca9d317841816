from pathlib import Path
from typing import Any

import pytest

from evaluation.benchmark import agreeing, checked, digest, distinct, faults, split_file
from evaluation.benchmarks import benchmark, benchmarks
from evaluation.errors import FilesMissing, LanguageMissing, UnknownBenchmark
from tests.evaluation.answers import item
from tests.evaluation.benchmarks.files import json_lines

NAMES = {
    *("casimedicos", "frenchmedmcqa", "global-mmlu-medical", "headqa", "jmmlu-medical", "mmedbench"),
    *("mmlu-prox-health", "multimedx-nli", "multimedx-qa"),
}


def test_the_benchmarks_are_found_by_listing_the_package() -> None:
    assert set(benchmarks()) >= NAMES


def test_an_unknown_benchmark_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownBenchmark, match="choose one of casimedicos"):
        benchmark("medqa-42")


@pytest.mark.parametrize("name", sorted(NAMES))
def test_an_empty_folder_is_told_what_it_lacks_and_where_that_is(name: str, tmp_path: Path) -> None:
    one = benchmark(name)

    with pytest.raises(FilesMissing) as caught:
        one.load(tmp_path, "en")

    assert one.files in str(caught.value)
    assert one.source in str(caught.value)


def test_a_language_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    row = {"question": "?", "options": {"A": "a", "B": "b"}, "answer_idx": "A"}
    json_lines(tmp_path / "MMedBench/Test/French.jsonl", [row])

    with pytest.raises(LanguageMissing, match="here in fr, not in 'ja'"):
        benchmark("mmedbench").load(tmp_path, "ja")


def test_the_test_split_is_read_before_the_development_split(tmp_path: Path) -> None:
    for name in ("train_a.txt", "dev_a.txt", "test_a.txt"):
        (tmp_path / name).touch()

    assert split_file(tmp_path, "{}_a.txt") == tmp_path / "test_a.txt"


def test_what_is_for_training_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "train_a.txt").touch()

    assert split_file(tmp_path, "{}_a.txt") is None


def test_options_that_are_the_same_are_a_fault_and_the_item_is_not_asked() -> None:
    found = checked(item(options=("a", "b", "c", " C")))

    assert found.faults == ("twin options: the same text stands twice",)
    assert found.excluded == "its options cannot be asked: The answer options C and D are the same"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"options": ("a", "b", "B", "d")}, "B and C are the same"),
        ({"right": ()}, "no right answer"),
        ({"right": (0, 1)}, "no right answer"),
        ({"options": ("a",), "right": (0,)}, "fewer than two"),
    ],
)
def test_an_item_without_one_right_answer_is_not_asked(given: dict[str, Any], reason: str) -> None:
    assert reason in checked(item(**given)).excluded


def test_an_item_whose_translation_has_another_right_answer_is_not_asked() -> None:
    assert agreeing(item(language="es"), [item(right=(2,))]).excluded == "the right answer is another one in en"


def test_an_item_that_can_not_be_asked_in_another_language_is_not_asked() -> None:
    assert agreeing(item(language="es"), [item(excluded="it needs an image")]).excluded == "in en: it needs an image"


def test_content_has_the_same_name_in_other_case_and_with_other_blanks() -> None:
    assert digest("Fever  and\ncough", "a") == digest("fever and cough", "A")


def test_two_texts_are_not_named_like_one() -> None:
    assert digest("a", "b") != digest("ab")


def test_the_same_row_again_has_a_name_of_its_own_and_the_first_ones_family() -> None:
    first, second = distinct([item("x"), item("x")])

    assert (first.id, second.id, second.family) == ("x", "x-2", "x")
    assert second.faults == ("the same row again: number 2",)


def test_faults_are_listed_with_their_kind() -> None:
    listed = list(faults([item(faults=("HTML entities: &gt; resolved",), excluded="it needs an image")]))

    assert [(one.kind, one.what) for one in listed] == [
        ("HTML entities", "&gt; resolved"),
        ("excluded", "it needs an image"),
    ]
