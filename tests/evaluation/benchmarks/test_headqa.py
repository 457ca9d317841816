import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from evaluation.benchmarks import benchmark
from evaluation.draw import draw
from evaluation.errors import MalformedFile

HEADQA = benchmark("headqa")


def question(
    qid: str, ra: str = "2", image: str = "", options: Sequence[str] = ("a", "b", "c", "d")
) -> dict[str, object]:
    answers = [{"aid": number, "atext": text} for number, text in enumerate(options, 1)]
    return {"qid": qid, "qtext": f"q{qid}", "ra": ra, "answers": answers, "image": image}


def written(folder: Path, name: str, *questions: dict[str, object]) -> None:
    exams = {"Cuaderno_1": {"name": "Cuaderno_1", "data": questions}}
    (folder / name).write_text(json.dumps({"version": "1.0", "exams": exams}))


def test_languages_are_aligned_by_exam_and_number_not_by_place(tmp_path: Path) -> None:
    written(tmp_path, "dev_HEAD.json", question("1"), question("2", options="wxyz"))
    written(tmp_path, "dev_HEAD_EN.json", question("2", options="WXYZ"), question("1"))

    second = HEADQA.load(tmp_path, "es")[1]

    assert (second.id, second.english, second.english_options) == ("Cuaderno_1/2", "q2", ("W", "X", "Y", "Z"))


def test_a_question_that_needs_an_image_is_not_asked_in_any_language(tmp_path: Path) -> None:
    written(tmp_path, "dev_HEAD.json", question("1", image="./1.png"))
    written(tmp_path, "dev_HEAD_EN.json", question("1"))

    assert HEADQA.load(tmp_path, "es")[0].excluded == "it needs an image"
    assert HEADQA.load(tmp_path, "en")[0].excluded == "in es: it needs an image"


@pytest.mark.parametrize("answer", ["0", "5", ""])
def test_a_question_without_a_right_answer_is_not_asked(tmp_path: Path, answer: str) -> None:
    written(tmp_path, "dev_HEAD.json", question("1", ra=answer))

    assert HEADQA.load(tmp_path, "es")[0].excluded == "the file says no right answer"


def test_a_question_without_options_is_named(tmp_path: Path) -> None:
    written(tmp_path, "dev_HEAD.json", {"qid": "1", "qtext": "q", "ra": "1", "image": ""})

    with pytest.raises(MalformedFile, match=r"dev_HEAD\.json, the document: exams\.Cuaderno_1\.data\.0\.answers"):
        HEADQA.load(tmp_path, "es")


def test_the_shared_file_has_30_questions_with_images_and_one_without_an_answer(shared_data: Path) -> None:
    items = HEADQA.load(shared_data, "es")

    assert len(items) == 1366
    assert [one.excluded for one in items if one.excluded and "image" not in one.excluded] == [
        "in en: its options cannot be asked: The answer options B and C are the same",
        "its options cannot be asked: The answer options C and D are the same",  # sp2 and sp3 have lost their digits
    ]
    assert sum("image" in one.excluded for one in items) == 30


def test_the_same_items_of_the_shared_file_are_drawn_in_both_languages(shared_data: Path) -> None:
    drawn = [draw(HEADQA.load(shared_data, language), 50, 3) for language in ("es", "en")]

    assert [one.id for one in drawn[0]] == [one.id for one in drawn[1]]
    assert all(one.english == other.text for one, other in zip(*drawn, strict=True))
