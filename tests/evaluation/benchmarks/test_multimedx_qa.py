import json
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest

from evaluation.benchmark import digest, faults, fold
from evaluation.benchmarks import benchmark
from evaluation.draw import draw
from evaluation.multimedx import recurring, rows, taken_apart
from tests.evaluation.benchmarks.files import workbook

QA = benchmark("multimedx-qa")
ROWS = [
    ("Question:\nWhat is scurvy?\nAnswer:\nA lack of vitamin C.", "質問:\n壊血病とは\n回答:\nビタミンC不足。"),
    ("Question:\nWhat is  Scurvy?\nAnswer:\nSee a dentist.", "質問：壊血病とは何\n回答：\n歯科へ。"),
    ("Question:\nWhat is gout?\nAnswer:\nFind a Doctor", "質問:\n痛風とは\n回答:\n医師を探す"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    workbook(tmp_path / "liveqa/liveqa_jp_200.xlsx", ("EN", "jp"), ROWS)
    return tmp_path


def test_english_is_in_every_workbook(folder: Path) -> None:
    assert QA.languages(folder) == ("en", "ja")


def test_an_id_is_the_same_in_both_languages_and_hangs_on_no_place(folder: Path, tmp_path: Path) -> None:
    turned = tmp_path / "turned"
    workbook(turned / "liveqa_jp_200.xlsx", ("EN", "jp"), reversed(ROWS))

    assert [one.id for one in QA.load(folder, "ja")] == [one.id for one in QA.load(folder, "en")]
    assert {one.id: one.text for one in QA.load(folder, "ja")} == {one.id: one.text for one in QA.load(turned, "ja")}


def test_a_recurring_question_is_scored_against_all_its_references(folder: Path) -> None:
    first, second, _ = QA.load(folder, "ja")

    assert first.family == second.family
    assert first.references == second.references == ("ビタミンC不足。", "歯科へ。")
    assert "recurring question: 2 rows ask it; scored against 2 references" in first.faults


def test_references_are_in_the_language_of_the_item(folder: Path) -> None:
    assert QA.load(folder, "en")[0].references == ("A lack of vitamin C.", "See a dentist.")


def test_what_is_no_answer_is_no_reference(folder: Path) -> None:
    last = QA.load(folder, "ja")[2]

    assert last.references == ()
    assert last.faults == ("non-answer: 'Find a Doctor' is no reference",)
    assert last.excluded == "its only reference is a non-answer"


def test_the_shared_file_has_the_known_faults(shared_data: Path) -> None:
    kinds = Counter(fault.kind for fault in faults(QA.load(shared_data, "ja")))

    assert kinds == {
        "recurring question": 69,
        "HTML entities": 8,
        "personal data": 7,
        "non-answer": 5,
        "excluded": 5,
        "full-width colon": 3,
        "leaking marker": 2,
    }


def test_25_questions_recur_word_for_word_over_66_rows_of_the_shared_file(shared_data: Path) -> None:
    path = shared_data / "bench/multimedx_ja/liveqa_jp_200.xlsx"

    apart = [taken_apart(path, row, "en", "question", "answer") for row in rows(path, "ja")]

    assert recurring(one.first for one in apart) == (25, 66)
    assert recurring((fold(one.first), fold(one.second)) for one in apart) == (0, 0)


def test_one_more_recurs_in_other_case_and_one_row_but_for_a_name(shared_data: Path) -> None:
    assert recurring(one.family for one in QA.load(shared_data, "ja")) == (26, 69)


def test_the_rows_with_personal_data_are_those_that_were_labelled_by_hand(shared_data: Path) -> None:
    labelled = {cell["row"] for cell in json.loads(files("evaluation").joinpath("private_labels.json").read_text())}
    path = shared_data / "bench/multimedx_ja/liveqa_jp_200.xlsx"

    names = {row.number + 1: digest(row.english) for row in rows(path, "ja")}

    found = {one.id for one in QA.load(shared_data, "ja") if any("personal data" in fault for fault in one.faults)}
    assert found == {names[row] for row in labelled}


def test_no_marker_and_no_entity_is_left_in_the_shared_file(shared_data: Path) -> None:
    for language in ("ja", "en"):
        for one in QA.load(shared_data, language):
            texts = (one.text, one.english or "", *one.references)
            assert not any(mark in text for text in texts for mark in ("質問：", "質問:", "回答:", "&gt;", "&quot;"))


def test_no_address_is_left_in_what_a_model_is_shown_of_the_shared_file(shared_data: Path) -> None:
    for language in ("ja", "en"):
        for one in QA.load(shared_data, language):
            assert "@" not in "".join((one.text, one.english or "", *one.references)).replace("myncbiPortal@2.45", "")


def test_a_draw_of_the_shared_file_asks_no_question_twice(shared_data: Path) -> None:
    drawn = draw(QA.load(shared_data, "ja"), None, 1)

    assert len(drawn) == 200 - (69 - 26) - 5
    assert len({fold(one.english or "") for one in drawn}) == len(drawn)
