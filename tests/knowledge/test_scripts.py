import pytest

from knowledge.scripts import ends_sentence, is_right_to_left, is_unspaced, logical, spelt


@pytest.mark.parametrize(
    ("seen", "read"),
    [
        ("ﻣﺮﺣﺒﺎ", "مرحبا"),
        ("ﻻ", "لا"),
        ("ﹰ", "\u064b"),
        ("eﬃcacy", "efficacy"),
        ("⽇本", "日本"),
        ("︒", "。"),
    ],
)
def test_forms_of_a_page_become_the_letters_that_they_stand_for(seen: str, read: str) -> None:
    assert spelt(seen) == read


@pytest.mark.parametrize("text", ["m²", "10⁹/L", "½", "㎎", "①", "ｶﾅ", "µg", "℃"])
def test_signs_that_mean_something_stay_as_they_are(text: str) -> None:
    assert spelt(text) == text


def test_a_line_as_it_is_seen_becomes_one_as_it_is_read() -> None:
    assert logical("ابحرم") == "مرحبا"
    assert logical("mg 2.5 ءاود") == "دواء 2.5 mg"
    assert logical(["ر", "لا", "ب"]) == "بلار"
    assert logical("P. falciparum ايرالم") == "ملاريا P. falciparum"
    assert logical("5 ,2 نم") == "من 2, 5"


def test_scripts_are_told_apart() -> None:
    assert [is_unspaced(c) for c in "ก日ア한aع"] == [True, True, True, False, False, False]
    assert is_right_to_left("דואר 12 abc")
    assert not is_right_to_left("abcde דו")


@pytest.mark.parametrize(
    ("text", "ends"), [("Give zinc.", True), ("投与する。", True), ("ใช่ไหม", False), ("twice (or more.)", True)]
)
def test_ends_of_sentences(text: str, ends: bool) -> None:
    assert ends_sentence(text) is ends
