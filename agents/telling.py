"""The words of a text that tell its language: without numbers, units, abbreviations and names of medicines.

The lists of `telling_words.toml` say which language such words, characters and prefixes belong to. Knows nothing of
probabilities, and does not decide.
"""

import re
import tomllib
import unicodedata
from collections import Counter
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from agents.drugs import drugs, unlisted_drugs

_SLASHED = re.compile(r"\b[A-Za-z]/[A-Za-z]*")  # c/o, s/p, w/
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*-?")
_ABBREVIATION = 5  # letters that a word in capitals may have and still say nothing
# A character of these scripts stands for about so many letters of an alphabet.
_WEIGHTS = {"CJK": 3, "HIRAGANA": 2, "KATAKANA": 2, "HANGUL": 2}


class _Table(NamedTuple):
    words: dict[str, frozenset[str]]
    prefixes: dict[str, tuple[str, ...]]
    romanised: dict[str, frozenset[str]]
    han: dict[str, frozenset[str]]
    rivals: dict[str, tuple[str, ...]]
    silent: frozenset[str]


@cache
def _table() -> _Table:
    content = tomllib.loads(files("agents").joinpath("telling_words.toml").read_text("utf-8"))
    return _Table(
        words={code: frozenset(w for w in words if not w.endswith("-")) for code, words in content["words"].items()},
        prefixes={code: tuple(w for w in words if w.endswith("-")) for code, words in content["words"].items()},
        romanised={code: frozenset(words) for code, words in content["romanised"].items()},
        han={code: frozenset(characters) for code, characters in content["han"].items()},
        rivals={script: tuple(codes) for script, codes in content["rivals"].items()},
        silent=frozenset(content["silent"]),
    )


def rivals(script: str) -> tuple[str, ...]:
    """Languages of a script (`LATIN`) that the product does not speak and that lingua knows."""
    return _table().rivals.get(script, ())


def telling(text: str) -> str:
    """A text without the words that are the same in every language."""
    plain = unicodedata.normalize("NFKC", text)
    shouted = plain.upper() == plain
    plain = _SLASHED.sub(" ", plain)
    return _WORD.sub(lambda found: " " if _says_nothing(found[0], shouted=shouted) else found[0], plain)


def _says_nothing(word: str, *, shouted: bool) -> bool:
    if not word.isascii():
        return False
    if any(c.isdigit() for c in word) and not any(c.islower() for c in word[:1]):
        return not any(len(run) > _ABBREVIATION for run in re.findall("[A-Za-z]+", word))
    if len(word) <= _ABBREVIATION and word.isupper() and len(word) > 1 and not shouted:
        return True
    return word.casefold() in _table().silent or bool(drugs(word) or unlisted_drugs(word))


def scripts(text: str) -> Counter[str]:
    """The letters of a text by script, as Unicode names them; those of scripts with fuller characters count more."""
    counted: Counter[str] = Counter()
    for character in text:
        if character.isalpha():
            script = re.split("[ -]", unicodedata.name(character, "UNKNOWN"))[0]
            counted[script] += _WEIGHTS.get(script, 1)
    return counted


def words(text: str) -> tuple[str, ...]:
    """The words of a text in Latin letters, in lower case and without accents."""
    plain = unicodedata.normalize("NFD", text.casefold().replace("’", "'"))
    bare = "".join(c for c in plain if not unicodedata.combining(c))
    return tuple(word for word in _WORD.findall(bare) if word[0].isascii())


def hits(found: tuple[str, ...]) -> Counter[str]:
    """How many of the words belong to each language that is written in Latin letters."""
    table = _table()
    counted: Counter[str] = Counter()
    for word in found:
        parts = {word, *re.split("['-]", word)}
        # A borrowed word behind a prefix speaks for the language of the prefix, not for its own.
        prefixed = [code for code, prefixes in table.prefixes.items() if word.startswith(prefixes)]
        counted.update(prefixed or [code for code, listed in table.words.items() if listed & parts])
    return counted


def romanised_hits(found: tuple[str, ...]) -> Counter[str]:
    """How many of the words belong to each language of another script, typed in Latin letters."""
    return Counter({code: sum(word in listed for word in found) for code, listed in _table().romanised.items()})


def romanised_kinds(found: tuple[str, ...], code: str) -> int:
    """How many different ones."""
    return len(_table().romanised.get(code, frozenset()) & set(found))


def han_hits(text: str) -> Counter[str]:
    """How many characters of a text only Japanese, or only Chinese, uses."""
    return Counter({code: sum(c in only for c in text) for code, only in _table().han.items()})
