"""What tells who somebody is, found by rules: each kind, in each language, also where it is said only once."""

from typing import Literal
from unicodedata import normalize

import pytest

from transcripts.cues import languages
from transcripts.errors import RedactionUnknown
from transcripts.folded import folded
from transcripts.private import find


def found(text: str, language: str = "en") -> list[tuple[str, str]]:
    (places,) = find([text], (language, "en"))
    return [(place.kind, text[place.start : place.end]) for place in places]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "Mr. Obadiah Fenwick, MRN 00482913", [("name", "Obadiah Fenwick"), ("id", "00482913")]),
        ("en", "write to r_s77@mail.example.com now", [("email", "r_s77@mail.example.com")]),
        ("ja", "電話は０３－１２３４－５６７８です", [("phone", "０３－１２３４－５６７８")]),
        ("zh", "身份证号11010519491231002X", [("id", "11010519491231002X")]),
        ("ko", "생년월일: 1958년 3월 14일", [("birth", "1958년 3월 14일")]),
        ("th", "นายประเสริฐ แก้วมณี อายุ 72 ปี", [("name", "ประเสริฐ แก้วมณี")]),
        ("ar", "هاتف ٠٥٠١٢٣٤٥٦٧", [("phone", "٠٥٠١٢٣٤٥٦٧")]),
        ("hi", "मेरा नाम अनीता वर्मा है", [("name", "अनीता वर्मा")]),
        ("zu", "Igama lami nguSipho Dlamini", [("name", "Sipho Dlamini")]),
        ("de", "Lindenstraße 14, 50674 Köln", [("address", "Lindenstraße 14, 50674 Köln")]),
        ("pt", "CPF 529.982.247-25", [("id", "529.982.247-25")]),
    ],
)
def test_each_kind_is_found_in_its_script(language: str, text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text, language) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Troponin 0.04, 0.09 and 0.31 ng/mL at 0, 3 and 6 hours; BP 150/95, potassium 6.8 mmol/L.",
        "MRN is how records are numbered; Crohn's disease was described in 1932.",
        "Paracetamol 1 g every 6 hours, at most 4000 mg in 24 hours, reviewed on 2025-11-30.",
    ],
)
def test_what_belongs_to_medicine_stays(text: str) -> None:
    assert found(text) == []


def test_a_name_said_once_with_a_cue_is_found_everywhere() -> None:
    texts = ["My name is Harriet Colborne.", "Harriet has a fever.", "Colborne's ECG", "colborne"]

    places = find(texts, ["en"])

    assert [len(of_text) for of_text in places] == [1, 1, 1, 0]


def test_words_that_are_known_go_too() -> None:
    (places,) = find(["ward 7 of St Elsewhere"], ["en"], {"St Elsewhere": "other"})

    assert [(place.kind, place.start) for place in places] == [("other", 10)]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_an_accent_may_be_a_character_of_its_own(form: Literal["NFC", "NFD"]) -> None:
    text = normalize(form, "Orúkọ mi ni Adébáyọ̀ Ọlátúnjí.")

    assert found(text, "yo") == [("name", normalize(form, "Adébáyọ̀ Ọlátúnjí"))]


def test_every_table_can_be_read_and_finds_an_address_of_mail() -> None:
    assert all(found("a@example.org", language) for language in languages())


def test_a_language_without_rules_is_refused_by_name() -> None:
    with pytest.raises(RedactionUnknown, match="no rules to redact 'tlh'"):
        found("nuqneH", "tlh")


def test_folding_keeps_every_place() -> None:
    text = "０３－４５ ٠٥ ๓ १ Ａ＠ ﷺ ½ é\u3000x"

    assert len(folded(text)) == len(text)
    assert folded(text).startswith("03-45 05 3 1 A@")


@pytest.mark.parametrize("text", ["0" * 20_000, "a@" * 10_000, "Mr A" * 5_000, "電話" * 10_000, "12 34 " * 4_000])
def test_long_nonsense_is_read_to_its_end(text: str) -> None:
    assert isinstance(found(text, "ja"), list)
