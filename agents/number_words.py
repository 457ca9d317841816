"""Small numbers that are written as words, in the languages of `number_words.toml`.

Knows nothing of digits or units.
"""

import re
import tomllib
import unicodedata
from functools import cache, lru_cache
from importlib.resources import files

from agents.phrases import either

_SEVERAL = 6  # times a day, or an hour, at most


@lru_cache(maxsize=4096)
def worded(text: str, language: str) -> frozenset[str]:
    """The small numbers that a text has as words; none in a language without a table."""
    words = number_words(language.split("-")[0])
    plain = unicodedata.normalize("NFKC", text).casefold()
    return frozenset(number for number, pattern in words if pattern.search(plain))


@cache
def number_words(language: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Numbers with the pattern of their words in a language; empty without a table."""
    table = tomllib.loads(files("agents").joinpath("number_words.toml").read_text("utf-8")).get(language, {})
    border = ("", "") if table.pop("parts", False) else (r"(?<!\w)(?:", r")(?!\w)")
    return tuple((number, re.compile(either(words).join(border))) for number, words in table.items())


@cache
def several() -> re.Pattern[str]:
    """The words of all languages for small numbers above one."""
    languages = tomllib.loads(files("agents").joinpath("number_words.toml").read_text("utf-8"))
    words = [(int(number), pattern.pattern) for code in languages for number, pattern in number_words(code)]
    return re.compile("|".join(pattern for number, pattern in words if 1 < number <= _SEVERAL))
