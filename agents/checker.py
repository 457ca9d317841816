"""The checker: is a written answer usable at all, and does each of its sentences stand in the passages it cites?

Deterministic; no model is asked. A sentence is supported where the embedding finds it near a cited passage, the
passage has its numbers and, in the same language, most of its words. Knows nothing of how answers are written.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from agents.languages import confidence, languages
from agents.messages import CitedPassage, Claim

Fault = Literal["empty", "wrong_language", "repetition", "echo"]

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
# Thousands: by commas (in India of two digits), by points before a decimal comma, by at least two points.
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:(?:,\d{2,3})*,\d{3}(?![\d,])|(?:\.\d{3})+(?=,)|(?:\.\d{3}){2,}$)")
_DOSES = frozenset(("kg", "g", "mg", "mcg", "μg", "ng", "l", "dl", "ml", "iu", "ui"))
_ARABIC_SEPARATORS = str.maketrans("٫٬", ".,")
_WORDS_JUDGED = 4
_CHARACTERS_JUDGED = 12
_LANGUAGE_FLOOR = 0.2
_NGRAM = 12
_REPEATED_SHARE = 0.45
_ECHO_SHARE = 0.8
_SHARED_WORDS = 0.5
_STEM = 5
# Hiragana, Katakana, Han, Thai, Lao, Khmer, Myanmar.
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0eff\u1780-\u17ff\u1000-\u109f]")


class TextEmbedder(Protocol):
    """Turns sentences and passages into comparable vectors [n, dimension]."""

    def embed_queries(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """One normalised vector a sentence."""

    def embed_passages(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """One normalised vector a passage."""


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
    words = _NUMBER.sub(" ", text)
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


def numbers(text: str) -> tuple[str, ...]:
    """The numbers of a text in western digits, decimal commas as points; of a thousands group, the bare digits."""
    return tuple(number for number, _ in measures(text))


def measures(text: str) -> tuple[tuple[str, str], ...]:
    """Each number of a text with the beginning of the word or unit behind it, at most three characters."""
    plain = unicodedata.normalize("NFKC", text).translate(_ARABIC_SEPARATORS)
    western = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in plain)
    joined = re.sub(r"(?<=\d)[\s'](?=\d{3}(?!\d))", "", western)
    return tuple((_canonical(m[0]), _unit(joined[m.end() :])) for m in _NUMBER.finditer(joined))


def _unit(rest: str) -> str:
    word = re.match(r"\s*([^\s\d.,;:()]{1,3})", rest)
    return word[1].casefold() if word else ""


def _canonical(number: str) -> str:
    if grouped := _GROUPED.match(number):
        number = re.sub("[.,]", "", grouped[0]) + number[grouped.end() :]
    whole, _, fraction = number.replace(",", ".").partition(".")
    whole = whole.lstrip("0") or "0"
    # 1.000 is one in English and a thousand in Spanish: its zeros stay, so that it equals neither.
    if whole == "0" or len(fraction) != 3:
        fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


def check(
    sentences: Sequence[tuple[str, tuple[int, ...]]],
    passages: Sequence[CitedPassage],
    embedder: TextEmbedder,
    support: float,
    case: str,
    spoken: str,
) -> tuple[Claim, ...]:
    """One claim a sentence, judged against the passages it cites; citations of unknown numbers are dropped.

    A measure of the case itself, such as the patient's breathing rate, may be repeated without a passage. `spoken` is
    the language of the sentences.
    """
    told = set(measures(case))
    known = {p.number: p for p in passages}
    cited = [tuple(n for n in dict.fromkeys(ns) if n in known) for _, ns in sentences]
    texts = [text for text, _ in sentences]
    if not texts:
        return ()
    claim_vectors = embedder.embed_queries(texts)
    passage_vectors = embedder.embed_passages([p.passage.text for p in passages]) if passages else None
    row = {p.number: i for i, p in enumerate(passages)}
    claims = []
    for text, vector, ns in zip(texts, claim_vectors, cited, strict=True):
        near = (
            max((float(vector @ passage_vectors[row[n]]) for n in ns), default=None)
            if passage_vectors is not None
            else None
        )
        why = _objection(text, [known[n] for n in ns], near, support, told) or _foreign_words(
            text, [known[n] for n in ns], case, spoken
        )
        claims.append(Claim(text=text, passages=ns, supported=not why, why=why))
    return tuple(claims)


def _objection(
    text: str, cited: Sequence[CitedPassage], near: float | None, support: float, told: set[tuple[str, str]]
) -> str:
    if not cited or near is None:
        return "cites no passage"
    stated = set(measures(text)) - told
    found = {m for p in cited for m in measures(" ".join((*p.passage.section, p.passage.text)))}
    if absent := {number for number, _ in stated} - {number for number, _ in found}:
        return f"{', '.join(sorted(absent))} is not in the cited passage"
    if swapped := sorted(f"{number} {_dose(unit)}" for number, unit in stated if _swapped(number, unit, found)):
        return f"{', '.join(swapped)} is not in the cited passage"
    if near < support:
        return "too far from the cited passage"
    return ""


def _swapped(number: str, unit: str, found: set[tuple[str, str]]) -> bool:
    """Whether the passages give a dose of that number in other units only."""
    doses = {_dose(other) for same, other in found if same == number} & _DOSES
    return bool(doses) and _dose(unit) in _DOSES - doses


def _dose(unit: str) -> str:
    letters = re.match("[a-zμ]*", unit)
    return letters[0] if letters else ""


def _foreign_words(text: str, cited: Sequence[CitedPassage], case: str, spoken: str) -> str:
    """What is wrong where most words of a sentence stand neither in the case nor in a cited passage of its language."""
    own = [p for p in cited if p.passage.language.split("-")[0] == spoken]
    stems = _stems(text) - _stems(case)
    if not own or len(own) < len(cited) or not stems:
        return ""
    found = _stems(" ".join(p.passage.in_context for p in own))
    return "" if len(stems & found) / len(stems) >= _SHARED_WORDS else "says what the cited passage does not"


def _stems(text: str) -> set[str]:
    """Beginnings of words of four letters and more; pairs of characters in scripts that put no space between words."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    # \w leaves out vowel signs; with it alone every word of Hindi would fall to pieces too short to be judged.
    words = "".join(c if unicodedata.category(c)[0] in "LM" else " " for c in plain).split()
    stems = {word[:_STEM] for word in words if len(word) > 3 and not _UNSPACED.search(word)}
    runs = [run for run in re.findall(r"[^\W\d_]+", plain) if _UNSPACED.search(run)]
    pairs = {run[i : i + 2] for run in runs for i in range(len(run) - 1)}
    return stems | pairs
