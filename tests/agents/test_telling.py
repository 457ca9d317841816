"""The words of a text that tell its language."""

import tomllib
from importlib.resources import files

import pytest

from agents.languages import languages
from agents.telling import han_hits, hits, romanised_hits, scripts, telling, words

TABLE = tomllib.loads(files("agents").joinpath("telling_words.toml").read_text("utf-8"))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("BP 180/110, sakit kepala", ["sakit", "kepala"]),
        ("amoxicillin 500 mg po bd", []),
        ("58F DM HTN c/o SOB", []),
        ("SpO2 88% na homa", ["na", "homa"]),
        ("ceftriaxone + metronidazole", []),
    ],
)
def test_abbreviations_medicines_and_numbers_say_nothing(text: str, left: list[str]) -> None:
    assert list(words(telling(text))) == left


def test_capitals_are_words_where_everything_is_in_capitals() -> None:
    assert words(telling("DOLOR Y FIEBRE")) == ("dolor", "y", "fiebre")


def test_a_borrowed_word_counts_for_the_language_of_its_prefix() -> None:
    assert dict(hits(words("i-fever"))) == {"zu": 1}


def test_words_lose_their_accents() -> None:
    assert words("Fièvre, ìrora") == ("fievre", "irora")


def test_letters_count_by_script_and_full_characters_for_several() -> None:
    assert scripts("胸 ga") == {"CJK": 3, "LATIN": 2}


def test_a_character_of_one_side_only_is_a_hit() -> None:
    assert (han_hits("発症")["ja"], han_hits("发病")["zh"]) == (1, 1)


@pytest.mark.parametrize("code", TABLE["romanised"])
def test_every_romanised_language_has_a_script_of_its_own(code: str) -> None:
    assert "LATIN" not in languages()[code].scripts


@pytest.mark.parametrize("code", TABLE["words"])
def test_every_listed_word_is_in_latin_letters_without_accents_and_counts(code: str) -> None:
    missed = [
        word for word in TABLE["words"][code] if not hits(words(f"{word}x" if word.endswith("-") else word))[code]
    ]

    assert missed == []


@pytest.mark.parametrize("code", TABLE["romanised"])
def test_every_romanised_word_counts(code: str) -> None:
    assert [word for word in TABLE["romanised"][code] if not romanised_hits(words(word))[code]] == []


def test_no_character_stands_on_both_sides() -> None:
    assert set(TABLE["han"]["ja"]) & set(TABLE["han"]["zh"]) == set()
