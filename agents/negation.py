"""How often a text denies or forbids, by the words of `negations.toml`. Knows nothing of what is denied."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

# With the marks of Latin, Arabic and Devanagari, which are no letters to \w: words would end in their middle.
_LETTER = "[\\w\u0300-\u036f\u064b-\u065f\u0900-\u0963]"


@cache
def table(language: str) -> Mapping[str, Sequence[str]] | None:
    """The denying words of a language by how they stand, see `negations.toml`; None where it has none."""
    tables: Mapping[str, Mapping[str, Sequence[str]]]
    tables = tomllib.loads(files("agents").joinpath("negations.toml").read_text("utf-8"))
    return tables.get(language)


@cache
def _pattern(language: str) -> re.Pattern[str] | None:
    known = table(language)
    if known is None:
        return None
    never, parts, words, beginnings = (
        [re.escape(unicodedata.normalize("NFKC", text)) for text in sorted(known.get(kind, ()), key=len, reverse=True)]
        for kind in ("never", "parts", "words", "beginnings")
    )
    alone = [f"(?<!{_LETTER}){word}(?!{_LETTER})" for word in words]
    begun = [f"(?<!{_LETTER}){beginning}" for beginning in beginnings]
    bordered = [text if parts else f"(?<!{_LETTER}){text}(?!{_LETTER})" for text in never]
    denied = "|".join((*parts, *alone, *begun))
    return re.compile("|".join((*bordered, f"(?P<denied>{denied})")))


def denials(text: str, language: str) -> int | None:
    """How many words of a text deny or forbid; None in a language without a table."""
    pattern = _pattern(language.split("-")[0])
    if pattern is None:
        return None
    plain = unicodedata.normalize("NFKC", text).casefold()
    return sum(found["denied"] is not None for found in pattern.finditer(plain))
