"""How the recognition of languages and the comparison of renderings are measured, and that their bars are met."""

import random
from pathlib import Path

import pytest

from evaluation import renderings
from evaluation.languages import Text, count, cut, found_by_product, phrase_rows, phrases, texts, thinned

RECOGNISED = 0.95  # of the texts of ten words, in every language
FALSE_ALARMS = 0.05


@pytest.mark.parametrize(
    ("text", "language", "words", "beginning"),
    [
        ("one two three", "en", 2, "one two"),
        ("one two", "en", 3, None),
        ("胸が痛いです", "ja", 2, "胸が痛い"),
        ("胸痛", "zh", 2, None),
        ("เจ็บหน้าอกมาก", "th", 2, "เจ็บหน้าอก"),
    ],
)
def test_a_text_is_cut_to_words_or_to_characters_instead(
    text: str, language: str, words: int, beginning: str | None
) -> None:
    assert cut(text, language, words) == beginning


def test_at_most_three_hundred_of_a_source_and_language_are_taken_evenly() -> None:
    many = [Text("s", "en", str(number)) for number in range(700)]

    taken = thinned([*many, Text("s", "es", "0")])

    assert [text.text for text in taken if text.language == "en"] == [str(number) for number in range(0, 700, 3)]
    assert taken[-1] == Text("s", "es", "0")


def test_texts_are_counted_as_recognised_by_each_and_as_left_open() -> None:
    counted = count([Text("s", "sw", "mtoto ana homa kali sana"), Text("s", "en", "amoxicillin 500 mg")], None)

    assert (counted.texts, counted.product, counted.open) == (2, 1, 1)


def test_the_phrases_written_for_it_are_told_or_asked_about() -> None:
    found = [(code, found_by_product(text) or "?") for _, code, text in phrases()]

    assert sum(code == told for code, told in found) / len(found) > 0.85
    assert len(list(phrase_rows(list(phrases())))) > 20


def test_shared_texts_of_ten_words_are_recognised(shared_data: Path) -> None:
    found = [text for text in thinned(list(texts(shared_data))) if cut(text.text, text.language, 10)]
    shares = {}
    for code in dict.fromkeys(text.language for text in found):
        counted = count([text for text in found if text.language == code][::4], 10)
        shares[code] = counted.product / counted.texts

    assert {code: share for code, share in shares.items() if share < RECOGNISED} == {}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ("number", "5 mg for 3 days"),
        ("unit", "5 mg daily"),
        ("negation", "There is no fever."),
        ("drug", "Give aspirin."),
    ],
)
def test_a_translation_is_changed_in_one_thing(change: str, text: str) -> None:
    changed = renderings.changed(text, change, random.Random(1))

    assert changed is not None
    assert changed != text


@pytest.mark.parametrize("change", ["number", "unit", "negation", "drug"])
def test_what_has_no_such_thing_is_not_changed(change: str) -> None:
    assert renderings.changed("Fever.", change, random.Random(1)) is None


def test_few_human_translations_of_exam_cases_are_found_wrong(shared_data: Path) -> None:
    exams = [pair for pair in renderings.pairs(shared_data) if pair.source in ("HEAD-QA", "CasiMedicos")][::4]

    cells = [line.split("|") for line in renderings.rows(exams)]

    assert {cell[2].strip() for cell in cells} == {"es", "fr", "it"}
    assert sum(int(cell[3]) * float(cell[4].strip().rstrip("%")) / 100 for cell in cells) <= FALSE_ALARMS * len(exams)
