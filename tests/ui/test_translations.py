"""The texts that the program speaks in other languages: complete, translated, and in the letters of their readers.

Knows nothing of where a text appears on screen, nor whether a native speaker would have put it better.
"""

import tomllib
import unicodedata
from functools import cache
from importlib.resources import files
from string import Template
from typing import NamedTuple

import pytest
from lingua import IsoCode639_1, LanguageDetector, LanguageDetectorBuilder

from transcripts.consultation import Status

NOT_LATIN = {
    "ar": ("ARABIC",),
    "hi": ("DEVANAGARI",),
    "ja": ("HIRAGANA", "KATAKANA", "CJK UNIFIED"),
    "ko": ("HANGUL",),
    "th": ("THAI",),
    "zh": ("CJK UNIFIED",),
}
# The product's name is not translated, and these three French words are spelled as in English.
SAME_AS_ENGLISH = {("fr", "absent"), ("fr", "conclusion"), ("fr", "page")}
NAMES_THE_PRODUCT = "title"


class Translation(NamedTuple):
    """The texts of one file or table in one language (BCP 47 code), beside the English ones."""

    room: str
    code: str
    texts: dict[str, str]
    english: dict[str, str]

    @property
    def translated(self) -> dict[str, str]:
        """The texts that are to be in the language: all but the product's name."""
        return {key: text for key, text in self.texts.items() if key != NAMES_THE_PRODUCT}


LANGUAGES: dict[str, dict[str, str]] = tomllib.loads((files("agents") / "languages.toml").read_text("utf-8"))
PHRASES: dict[str, dict[str, str]] = tomllib.loads((files("agents") / "phrases.toml").read_text("utf-8"))
SCREEN: dict[str, dict[str, str]] = {
    entry.name.removesuffix(".toml"): tomllib.loads(entry.read_text("utf-8"))
    for entry in (files("ui") / "translations").iterdir()
    if entry.name.endswith(".toml")
}
TRANSLATIONS = [
    Translation(room, code, texts, tables["en"])
    for room, tables in (("agents", PHRASES), ("ui", SCREEN))
    for code, texts in sorted(tables.items())
]

each_translation = pytest.mark.parametrize("translation", TRANSLATIONS, ids=lambda t: f"{t.room}-{t.code}")


def words(text: str) -> str:
    """The text without its placeholders, whose names are English in every language."""
    return Template(text).safe_substitute(dict.fromkeys(Template(text).get_identifiers(), " "))


def foreign_letters(code: str, text: str) -> set[str]:
    """Letters of `text` that belong to no script of the language."""
    scripts = NOT_LATIN.get(code, ("LATIN",))
    return {letter for letter in text if letter.isalpha() and not unicodedata.name(letter).startswith(scripts)}


@cache
def detector() -> LanguageDetector:
    """Identifies a text as one of the languages that the program names."""
    codes = (IsoCode639_1.from_str(code) for code in LANGUAGES)
    return LanguageDetectorBuilder.from_iso_codes_639_1(*codes).build()


def test_phrases_exist_for_exactly_the_languages_that_the_program_names() -> None:
    assert PHRASES.keys() == LANGUAGES.keys()


def test_the_screen_speaks_only_languages_that_the_program_names() -> None:
    assert SCREEN.keys() <= LANGUAGES.keys()


@pytest.mark.parametrize("code", sorted(SCREEN))
def test_the_screen_calls_each_language_by_its_own_name(code: str) -> None:
    assert SCREEN[code]["name"] == LANGUAGES[code]["native"]


@each_translation
def test_a_translation_has_exactly_the_keys_of_the_english_texts(translation: Translation) -> None:
    assert translation.texts.keys() == translation.english.keys()


@each_translation
def test_no_text_is_empty(translation: Translation) -> None:
    assert [key for key, text in translation.texts.items() if not text.strip()] == []


def test_only_the_product_name_and_the_listed_words_equal_the_english_text() -> None:
    others = [translation for translation in TRANSLATIONS if translation.code != "en"]

    equal = {(t.code, key) for t in others for key, text in t.translated.items() if text == t.english[key]}

    assert equal == SAME_AS_ENGLISH


@pytest.mark.parametrize("code", sorted(SCREEN))
def test_the_product_keeps_its_name(code: str) -> None:
    assert SCREEN[code][NAMES_THE_PRODUCT] == SCREEN["en"][NAMES_THE_PRODUCT]


@each_translation
def test_texts_that_differ_in_english_differ_in_the_translation(translation: Translation) -> None:
    assert len(set(translation.texts.values())) == len(set(translation.english.values()))


@each_translation
def test_every_text_is_a_valid_template(translation: Translation) -> None:
    assert [key for key, text in translation.texts.items() if not Template(text).is_valid()] == []


@each_translation
def test_placeholders_are_those_of_the_english_text(translation: Translation) -> None:
    found = {key: sorted(Template(text).get_identifiers()) for key, text in translation.texts.items()}

    assert found == {key: sorted(Template(text).get_identifiers()) for key, text in translation.english.items()}


@each_translation
def test_every_text_is_written_in_the_script_of_its_language(translation: Translation) -> None:
    foreign = {key: foreign_letters(translation.code, words(text)) for key, text in translation.translated.items()}

    assert {key: letters for key, letters in foreign.items() if letters} == {}


@each_translation
def test_every_text_has_letters_beside_its_placeholders(translation: Translation) -> None:
    assert [key for key, text in translation.texts.items() if not any(map(str.isalpha, words(text)))] == []


@each_translation
def test_a_translation_reads_as_its_own_language(translation: Translation) -> None:
    prose = " ".join(map(words, translation.translated.values()))

    found = detector().detect_language_of(prose)

    assert found is not None
    assert found.iso_code_639_1.name.lower() == translation.code


@each_translation
def test_every_text_is_in_composed_form(translation: Translation) -> None:
    assert [key for key, text in translation.texts.items() if not unicodedata.is_normalized("NFC", text)] == []


@pytest.mark.parametrize("code", sorted(SCREEN))
def test_the_screen_has_a_word_for_every_state_of_a_consultation(code: str) -> None:
    assert {f"status_{status.value}" for status in Status} <= SCREEN[code].keys()
