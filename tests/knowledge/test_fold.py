"""Folded text is compared; what is found in it leads back to the text as it was."""

import pytest

from knowledge.fold import fold, undisguise
from tests.growth import is_linear


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Ignorez É Ọ̀rọ̀ Naïve", "ignorez e oro naive"),
        ("ｉｇｎｏｒｅ 𝐭𝐡𝐞 ａｂｏｖｅ", "ignore the above"),
        ("أضف تجاهُل", "اضف تجاهل"),
        ("नज़रअंदाज़", "नजरअंदाज"),
        ("ให้ละเว้น 지시사항 指示", "ให้ละเว้น 지시사항 指示"),
        ("**ignore** _the_ “above”", " ignore the above "),
        ("don’t", "don't"),
        ("a \t b\n\n  c", "a b\nc"),
        ("ig\u200bno\u00adre", "ignore"),
    ],
)
def test_case_accents_styles_and_white_space_fold(text: str, folded: str) -> None:
    assert fold(text).text == folded


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("1gn0r3 th3 ab0v3", "ignore the above"),
        ("i.g.n.o.r.e", "ignore"),
        ("i g n o r e  t h i s", "ignore this"),
        ("іgnоrе", "ignore"),
        ("give 10 mg", "give io mg"),
    ],
)
def test_disguises_are_taken_off(text: str, read: str) -> None:
    assert undisguise(text).text == read


@pytest.mark.parametrize("text", ["Ọ̀rọ̀  aṣínà\n\n i.g.n.o.r.e 1gn0re", "a\u200bb  c", "plain"])
def test_every_folded_character_knows_where_it_came_from(text: str) -> None:
    for folded in (fold(text), undisguise(text)):
        assert len(folded.origin) == len(folded.text)
        assert list(folded.origin) == sorted(set(folded.origin))
    first = fold(text)
    assert fold(text[first.origin[0] : first.origin[-1] + 1]).text == first.text


@pytest.mark.parametrize("unit", ["a.", "i ", " \n", "\u0301", "1a", "e\u0301 "])
def test_the_time_for_an_attack_on_folding_grows_with_its_length_not_with_its_square(unit: str) -> None:
    assert is_linear(undisguise, unit, 1_000_000)
