from collections import Counter
from pathlib import Path

import pytest

from evaluation.benchmark import faults
from evaluation.benchmarks import benchmark
from evaluation.draw import draw, shuffled
from tests.evaluation.benchmarks.files import json_lines

CASES = benchmark("casimedicos")


def line(name: str, language: str, answer: str = "2") -> dict[str, object]:
    options = [f"{language} {letter}" for letter in "abcde"]
    return {"id": name, "lang": language, "case": f"{language} {name}", "options": options, "answer": answer}


def test_languages_are_aligned_by_id_not_by_place(tmp_path: Path) -> None:
    rows = [line("1", "es"), line("2", "es"), line("2", "en"), line("1", "en")]
    json_lines(tmp_path / "casimedicos_dev.jsonl", rows)

    assert [(one.id, one.english) for one in CASES.load(tmp_path, "es")] == [("1", "en 1"), ("2", "en 2")]


def test_a_case_that_is_not_there_in_english_has_no_english_text(tmp_path: Path) -> None:
    json_lines(tmp_path / "casimedicos_dev.jsonl", [line("1", "es")])

    (found,) = CASES.load(tmp_path, "es")

    assert (found.english, found.english_options) == (None, ())


def test_english_with_another_number_of_options_is_not_taken(tmp_path: Path) -> None:
    four = line("1", "en")
    four["options"] = four["options"][:4]  # type: ignore[index]
    json_lines(tmp_path / "casimedicos_dev.jsonl", [line("1", "es"), four])

    (found,) = CASES.load(tmp_path, "es")

    assert (found.english, found.english_options) == (None, ())


def test_a_case_with_another_answer_in_another_language_is_not_asked(tmp_path: Path) -> None:
    json_lines(tmp_path / "casimedicos_dev.jsonl", [line("1", "es"), line("1", "en", "3")])

    assert CASES.load(tmp_path, "es")[0].excluded == "the right answer is another one in en"


def test_an_answer_beyond_the_options_is_none(tmp_path: Path) -> None:
    json_lines(tmp_path / "casimedicos_dev.jsonl", [line("1", "es", "9")])

    assert CASES.load(tmp_path, "es")[0].excluded == "the file says no right answer"


@pytest.mark.parametrize(("answer", "right"), [("4", (2,)), ("2", (1,)), ("3", ())])
def test_an_option_nan_is_none_and_the_right_one_stays_right(
    tmp_path: Path, answer: str, right: tuple[int, ...]
) -> None:
    row = line("1", "es", answer)
    row["options"] = ["uno", "dos", "nan", "cuatro"]
    json_lines(tmp_path / "casimedicos_dev.jsonl", [row])

    (found,) = CASES.load(tmp_path, "es")

    assert (found.options, found.right) == (("uno", "dos", "cuatro"), right)
    assert [fault.kind for fault in faults([found])][:1] == ["option nan"]


def test_the_shared_file_has_the_same_55_cases_in_four_languages(shared_data: Path) -> None:
    assert CASES.languages(shared_data) == ("en", "es", "fr", "it")

    items = [one for language in CASES.languages(shared_data) for one in CASES.load(shared_data, language)]

    assert len(items) == 220
    assert not [one for one in items if one.excluded]
    assert sorted({len(one.options) for one in items}) == [4, 5]
    assert Counter(fault.kind for fault in faults(items)) == {"option nan": 120}


def test_every_language_of_the_shared_file_is_shown_in_the_same_order(shared_data: Path) -> None:
    orders = [
        [(one.item.id, one.order) for one in shuffled(draw(CASES.load(shared_data, language), 20, 1), 1)]
        for language in CASES.languages(shared_data)
    ]

    assert orders.count(orders[0]) == 4
