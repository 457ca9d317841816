"""The checker: is what a model wrote usable as an answer at all? Deterministic; no model is asked.

Knows nothing of passages: whether a sentence stands in them is for `agents.support`.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Literal

from agents.languages import confidence, languages
from agents.negation import denials

Fault = Literal["empty", "wrong_language", "repetition", "echo"]

_WORDS_JUDGED = 4
_CHARACTERS_JUDGED = 12
_LANGUAGE_FLOOR = 0.2
_BEGINNING = 100  # bytes of a text by which its language is told while it is written: a line, in any script
_NGRAM = 12
_REPEATED_SHARE = 0.45
_ECHO_SHARE = 0.8
_CLAUSE = re.compile(r"[.,;:!?¿¡()、。，；：！？（）।،؛؟]")


def fault(text: str, asked: str, case: str) -> Fault | None:
    """Why `text` cannot be shown as an answer in language `asked` to `case`; None where it can."""
    plain = _plain(text)
    if sum(c.isalpha() for c in plain) < _WORDS_JUDGED:
        return "empty"
    if _wrong_language(plain, asked):
        return "wrong_language"
    if _repeated_share(plain) > _REPEATED_SHARE:
        return "repetition"
    if echoes(plain, case, asked):
        return "echo"
    return None


@lru_cache(maxsize=64)
def _strays(beginning: str, asked: str) -> bool:
    return _wrong_language(beginning, asked)


def strays(text: str, asked: str) -> bool:
    """Whether a text that is being written begins in another language than `asked`; not before that can be told.

    Judged by the beginning alone, so that it does not depend on where the text is cut into pieces.
    """
    written = _plain(text).encode()
    return len(written) >= _BEGINNING and _strays(written[:_BEGINNING].decode(errors="ignore"), asked)


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


def echoes(text: str, case: str, language: str) -> bool:
    """Whether nearly all of a text is copied from the case, and nothing denied in it that is not denied there."""
    grams, source = _ngrams(_plain(text)), set(_ngrams(_plain(case)))
    copied = bool(grams) and sum(g in source for g in grams) / len(grams) > _ECHO_SHARE
    return copied and not _denies_more(text, case, language)


def _denies_more(text: str, case: str, language: str) -> bool:
    """Whether a clause denies more than the clause of the case that it is like: "do not" may answer "can I"."""
    theirs = _clauses(case)
    more = (c for c in _clauses(text) if c not in theirs)
    return any((denials(c, language) or 0) > (denials(_nearest(c, theirs), language) or 0) for c in more)


def _clauses(text: str) -> list[str]:
    return [clause.strip() for clause in _CLAUSE.split(_plain(text).casefold()) if clause.strip()]


def _nearest(clause: str, clauses: list[str]) -> str:
    """The clause that shares most n-grams with another; empty where none shares any."""
    grams = set(_ngrams(clause))
    return max(clauses, key=lambda c: len(grams.intersection(_ngrams(c))), default="") if grams else ""
