"""The checker: is what a model wrote usable as an answer at all? Deterministic; no model is asked.

Knows nothing of passages: whether a sentence stands in them is for `agents.support`.
"""

import re
import unicodedata
from typing import Literal

from agents.languages import confidence, languages

Fault = Literal["empty", "wrong_language", "repetition", "echo"]

_WORDS_JUDGED = 4
_CHARACTERS_JUDGED = 12
_LANGUAGE_FLOOR = 0.2
_NGRAM = 12
_REPEATED_SHARE = 0.45
_ECHO_SHARE = 0.8


def fault(text: str, asked: str, case: str) -> Fault | None:
    """Why `text` cannot be shown as an answer in language `asked` to `case`; None where it can."""
    plain = _plain(text)
    if sum(c.isalpha() for c in plain) < _WORDS_JUDGED:
        return "empty"
    if _wrong_language(plain, asked):
        return "wrong_language"
    if _repeated_share(plain) > _REPEATED_SHARE:
        return "repetition"
    if echoes(plain, case):
        return "echo"
    return None


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _wrong_language(text: str, asked: str) -> bool:
    if len(text) < _CHARACTERS_JUDGED:
        return False
    # Numbers, units and drug names are the same in every language; they say nothing here.
    words = re.sub(r"\d+", " ", text)
    return confidence(words, asked, tuple(languages())) < _LANGUAGE_FLOOR


def _ngrams(text: str) -> list[str]:
    letters = "".join(text.split())
    return [letters[i : i + _NGRAM] for i in range(len(letters) - _NGRAM + 1)]


def _repeated_share(text: str) -> float:
    """The share of character n-grams that were there before."""
    grams = _ngrams(text)
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def echoes(text: str, case: str) -> bool:
    """Whether nearly all of a text is copied from the case."""
    grams, source = _ngrams(_plain(text)), set(_ngrams(_plain(case)))
    return bool(grams) and sum(g in source for g in grams) / len(grams) > _ECHO_SHARE
