from pathlib import Path

import pytest

from evaluation.errors import MalformedFile
from evaluation.multimedx import Parts, Row, hidden, recurring, taken_apart

PATH = Path("liveqa_jp_200.xlsx")


def apart(local: str, english: str = "Question:\nq\nAnswer:\na", language: str = "ja") -> Parts:
    row = Row(number=7, english=english, local=local, label=None)
    return taken_apart(PATH, row, language, "question", "answer")


@pytest.mark.parametrize("colon", [":", "："])
def test_both_colons_end_a_marker(colon: str) -> None:
    assert apart(f"質問{colon}\n熱が出た\n回答{colon}\n休む")[:2] == ("熱が出た", "休む")


def test_full_width_colons_are_told_and_ascii_ones_are_not() -> None:
    assert apart("質問：熱\n回答:休む").faults == ("full-width colon: in the marker 質問：",)
    assert apart("質問:熱\n回答:休む").faults == ()


def test_a_marker_that_leaks_into_the_question_is_taken_out() -> None:
    found = apart("質問:\n質問：喘息は治るか\n回答:\n治らない")

    assert found.first == "喘息は治るか"
    assert "leaking marker: 質問： stood in the text and was taken out" in found.faults


def test_html_entities_are_resolved() -> None:
    found = apart("質問:\n血圧 &gt; 140 &quot;高い&quot;\n回答:\nはい")

    assert found.first == '血圧 > 140 "高い"'
    assert found.faults == ("HTML entities: &gt; &quot; resolved",)


def test_a_text_with_an_ampersand_has_no_entity() -> None:
    assert apart("質問:\nQ&A とは\n回答:\nはい").faults == ()


def test_without_a_second_marker_the_last_paragraph_is_taken_and_that_is_told() -> None:
    found = apart("質問：  \n熱が出た。\n咳も出る。\n\n休む。")

    assert found[:2] == ("熱が出た。\n咳も出る。", "休む。")
    assert "no answer marker: row 7 counted from 0 (line 9); the last paragraph is taken" in found.faults


def test_a_marker_in_running_text_is_found_where_none_begins_a_line() -> None:
    assert apart("質問: 熱が出た。  回答: 休む。")[:2] == ("熱が出た。", "休む。")


def test_a_word_that_is_like_a_marker_is_none() -> None:
    assert apart("質問:\n熱\n回答:\n彼の回答: 休む")[:2] == ("熱", "彼の回答: 休む")


def test_a_language_may_have_english_markers() -> None:
    assert apart("Question:\nไข้\nAnswer:\nพัก", language="th")[:2] == ("ไข้", "พัก")


@pytest.mark.parametrize("cell", ["質問:\n回答:\n休む", "質問:\n熱", "回答:"])
def test_a_cell_without_both_texts_is_named(cell: str) -> None:
    with pytest.raises(MalformedFile, match=r"liveqa_jp_200\.xlsx, line 9"):
        apart(cell)


def test_a_name_that_both_languages_have_is_taken_out_of_both() -> None:
    english, local, kinds = hidden("My name is Anna Miller. I cough.", "Me llamo Anna Miller. Tengo tos.", "es")

    assert (english, local) == ("My name is [name]. I cough.", "Me llamo [name]. Tengo tos.")
    assert kinds == ("name",)


def test_a_name_that_only_one_language_has_is_left() -> None:
    english = "My name is Anna Miller. I cough."

    assert hidden(english, "Tengo tos.", "es") == (english, "Tengo tos.", ())


def test_an_address_of_the_net_is_taken_out_wherever_it_stands() -> None:
    english, local, kinds = hidden("Write to anna@example.org.", "Tengo tos.", "es")

    assert (english, local, kinds) == ("Write to [email].", "Tengo tos.", ("email",))


def test_a_language_without_rules_is_read_by_those_of_english() -> None:
    assert hidden("Mail anna@example.org", "Mail anna@example.org", "xx")[1] == "Mail [email]"


def test_recurring_counts_keys_and_rows() -> None:
    assert recurring("aabcccd") == (2, 5)
