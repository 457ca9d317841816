"""Does a sentence stand in the passages that it cites? Decided without a model, and always the same way.

A sentence is supported where the embedding finds it near a cited passage and nothing speaks against it: its numbers,
units, medicines and doses are the passage's, it denies what the passage denies and nothing else, and, in the same
language, most of its words are the passage's. Knows nothing of how answers are written.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from agents.drugs import drugs, unlisted_drugs
from agents.messages import CitedPassage, Claim
from agents.negation import denials
from agents.quantities import DOSES, Quantity, quantities, worded

_SHARED_WORDS = 0.5
_SAME_STATEMENT = 0.6
_SAME_WORDS = 0.85
_STEM = 5
_KOREAN = re.compile("[\uac00-\ud7a3]")
_KOREAN_STEM = 2  # syllables; endings follow without a border
_KOREAN_DENIAL = ("않", "못", "없", "있")  # "is there" and "is not there" begin alike in no letter
# Hiragana, Katakana, Han, Thai, Lao, Khmer, Myanmar.
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0eff\u1780-\u17ff\u1000-\u109f]")
_STATEMENT = re.compile(r"\n+|(?<=[.;!?؛؟])\s+|(?<=[。；！？।])")
_CLAUSE = re.compile(r"[,:،、，：—]|\s[-–]\s|[()（）]")


class TextEmbedder(Protocol):
    """Turns sentences and passages into comparable vectors [n, dimension]."""

    def embed_queries(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """One normalised vector a sentence."""

    def embed_passages(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """One normalised vector a passage."""


class _Judged(NamedTuple):
    """A sentence with what it is held against."""

    text: str
    spoken: str
    case: str
    cited: Sequence[CitedPassage]

    @property
    def own(self) -> list[CitedPassage]:
        """The cited passages in the language of the sentence."""
        return [p for p in self.cited if p.passage.language.split("-")[0] == self.spoken]


def check(
    sentences: Sequence[tuple[str, tuple[int, ...]]],
    passages: Sequence[CitedPassage],
    embedder: TextEmbedder | None,
    support: float,
    case: str,
    spoken: str,
) -> tuple[Claim, ...]:
    """One claim a sentence, judged against the passages it cites; citations of unknown numbers are dropped.

    What the case itself says, such as the patient's breathing rate or medicine, may be repeated without a passage.
    `support` is the cosine that a sentence must reach to a cited passage, `spoken` the language of the sentences.
    Without an embedder a sentence stands only where its own words, and a passage of its own language, say so.
    """
    known = {p.number: p for p in passages}
    cited = [tuple(n for n in dict.fromkeys(ns) if n in known) for _, ns in sentences]
    texts = [text for text, _ in sentences]
    if not texts:
        return ()
    nearness = _nearness(texts, cited, known, embedder) if embedder else [None] * len(texts)
    claims = []
    for text, near, ns in zip(texts, nearness, cited, strict=True):
        judged = _Judged(text, spoken.split("-")[0], case, [known[n] for n in ns])
        figures = _unfounded(judged)
        why = next(_objections(judged, figures, near, support), "")
        claims.append(Claim(text=text, passages=ns, supported=not why, why=why, unfounded=bool(figures)))
    return tuple(claims)


def _nearness(
    texts: Sequence[str], cited: Sequence[Sequence[int]], known: dict[int, CitedPassage], embedder: TextEmbedder
) -> list[float | None]:
    """Of each sentence, the cosine to the nearest passage that it cites."""
    vectors = embedder.embed_queries(texts)
    passages = [p.passage.text for p in known.values()]
    row = dict(zip(known, embedder.embed_passages(passages), strict=True)) if known else {}
    return [max((float(v @ row[n]) for n in ns), default=0.0) for v, ns in zip(vectors, cited, strict=True)]


def _unfounded(judged: _Judged) -> list[str]:
    """The numbers, doses and thresholds of a sentence that neither the case nor a cited passage has."""
    told = quantities(judged.case)
    stated = [quantity for quantity in quantities(judged.text) if not _among(quantity, told)]
    if len(judged.own) < len(judged.cited):
        # "1日1回" is "once daily" in English: only the one of a dose is a number there too.
        stated = [quantity for quantity in stated if quantity.number != "1" or quantity.unit in DOSES]
    found = [q for p in judged.cited for q in quantities(p.passage.in_context)]
    if any(quantity.per_kg for quantity in found):
        stated = [quantity for quantity in stated if quantity[:2] != ("1", "kg")]  # "40 mg for 1 kg" is 40 mg/kg
    return (
        _absent(stated, found, judged)
        or _other_units(stated, found, judged)
        or _strange_doses(judged, stated, found)
        or _strangers_doses(judged, stated)
        or _others_doses(judged)
        or _others_numbers(judged)
    )


def _objections(judged: _Judged, figures: Sequence[str], near: float | None, support: float) -> Iterator[str]:
    """What speaks against a sentence, one after the other. `figures` are those that are unfounded."""
    if not judged.cited:
        yield "cites no passage"
        return
    if strange := figures or _strange_drugs(judged):
        yield f"{', '.join(strange)} is not in the cited passage"
    if any(_contradicts(statement, judged) for statement in _statements(judged.text)):
        yield "denies what the cited passage says, or says what it denies"
    if near is not None and near < support:
        yield "too far from the cited passage"
    if near is None and len(judged.own) < len(judged.cited):
        yield "cites a passage in another language, and no embedding model is there to compare them"
    if _foreign_words(judged):
        yield "says what the cited passage does not"


def _absent(stated: Sequence[Quantity], found: Sequence[Quantity], judged: _Judged) -> list[str]:
    """Numbers that stand in no cited passage, neither as digits nor as words; words are no doses."""
    digits = {q.number for q in found}
    words = digits.union(*(worded(p.passage.in_context, p.passage.language) for p in judged.cited))
    return sorted({q.number for q in stated if q.number not in (digits if q.unit in DOSES else words)})


def _other_units(stated: Sequence[Quantity], found: Sequence[Quantity], judged: _Judged) -> list[str]:
    """Quantities whose number the passages give in other units only.

    What follows a number and is not in the table may be its unit in another language; in the same language it would
    follow it in the sentence too.
    """
    units: dict[str, set[str]] = {}
    for quantity in found:
        units.setdefault(quantity.number, set()).add(quantity.unit if quantity.known or quantity.counted else "")
    if len(judged.own) == len(judged.cited):
        units = {number: (named - {""}) or named for number, named in units.items()}
    return sorted(f"{q.number} {q.unit}" for q in stated if q.known and not units.get(q.number, {""}) & {"", q.unit})


def _strange_doses(judged: _Judged, stated: Sequence[Quantity], found: Sequence[Quantity]) -> list[str]:
    """Doses that the passages do not give in this unit, or for each of something else: a kilogram, a day, a ml."""
    weighed = _weighed(judged.text) or any(_weighed(p.passage.in_context) for p in judged.cited)
    return sorted(f"{q.number} {q.unit}" for q in stated if q.unit in DOSES and not _among(q, found, weighed))


def _among(quantity: Quantity, others: Sequence[Quantity], weighed: bool = False) -> bool:
    return any(quantity.agrees(other, weighed) for other in others)


def _weighed(text: str) -> bool:
    """Whether a dose may be per kilogram without saying so: "40 mg for 1 kg of body weight"."""
    return any(q[:2] == ("1", "kg") for q in quantities(text))


def _strange_drugs(judged: _Judged) -> list[str]:
    """Medicines that neither the case nor a cited passage names."""
    source = " ".join((judged.case, *(p.passage.in_context for p in judged.cited)))
    strange = drugs(judged.text) - drugs(source)
    if judged.own and len(judged.own) == len(judged.cited):
        strange |= unlisted_drugs(judged.text) - unlisted_drugs(source)
    return sorted(strange)


def _strangers_doses(judged: _Judged, stated: Sequence[Quantity]) -> list[str]:
    """Doses of medicines that neither the case nor a cited passage names."""
    doses = [f"{q.number} {q.unit}" for q in stated if q.unit in DOSES]
    return [f"{', '.join(doses)} of {', '.join(strange)}"] if doses and (strange := _strange_drugs(judged)) else []


def _others_doses(judged: _Judged) -> list[str]:
    """Doses that the passages, or the case, give for other medicines than those of the sentence."""
    named = drugs(judged.text)
    doses = [q for q in quantities(judged.text) if q.unit in DOSES]
    if not named or not doses:
        return []
    theirs = [said for said in _statements(judged.case) if drugs(said) & named]
    lines = [line for p in judged.cited for line in p.passage.text.split("\n")]
    theirs += [line for line in lines if not (own := drugs(line)) or own & named]
    weighed = any(map(_weighed, (judged.text, *theirs)))
    found = [q for text in theirs for q in quantities(text)]
    return sorted(f"{q.number} {q.unit} of {', '.join(sorted(named))}" for q in doses if not _among(q, found, weighed))


def _others_numbers(judged: _Judged) -> list[str]:
    """Numbers that are not those of the passage's line that says the same in the same words, where there is one."""
    stems = _stems(judged.text)
    lines = [line for p in judged.own for line in p.passage.text.split("\n") if _alike(stems, _stems(line))]
    if not lines or not stems:
        return []
    known = {q.number for text in (judged.case, *lines) for q in quantities(text)}
    known = known.union(*(worded(line, judged.spoken) for line in lines))
    return sorted({q.number for q in quantities(judged.text)} - known)


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return min(_share(one, other), _share(other, one)) >= _SAME_WORDS


def _foreign_words(judged: _Judged) -> bool:
    """Whether most words of a sentence stand neither in the case nor in a cited passage of its language."""
    own = judged.own
    stems = _stems(judged.text) - _stems(judged.case)
    if not own or len(own) < len(judged.cited) or not stems:
        return False
    found = _stems(" ".join(p.passage.in_context for p in own))
    return len(stems & found) / len(stems) < _SHARED_WORDS


def _contradicts(statement: str, judged: _Judged) -> bool:
    """Whether a statement denies where the passage's statement of the same words does not, or the other way round."""
    stems, denied = _stems(statement), denials(statement, judged.spoken)
    said = _same_statement(statement, judged)
    if denied is None or not said:
        return False
    clauses = [c for c in _CLAUSE.split(said) if _share(_stems(c), stems) >= _SHARED_WORDS] or [said]
    denied_there = sum(denials(clause, judged.spoken) or 0 for clause in clauses)
    if _alike(stems, _stems(" ".join(clauses))):
        return denied != denied_there
    return bool(denied) != bool(denied_there)


def _same_statement(statement: str, judged: _Judged) -> str:
    """The statement of a passage that has most words of this one and its medicines; empty where none has enough."""
    stems, named = _stems(statement), drugs(statement)
    theirs = [s for p in judged.own for s in _statements(p.passage.text) if not named or named & drugs(s)]
    best = max(theirs, key=lambda s: (_share(stems, _stems(s)), _share(_stems(s), stems)), default="")
    return best if stems and _share(stems, _stems(best)) >= _SAME_STATEMENT else ""


def _share(of: frozenset[str], within: frozenset[str]) -> float:
    return len(of & within) / len(of) if of else 1.0


def _statements(text: str) -> list[str]:
    return [statement for statement in _STATEMENT.split(text) if any(c.isalpha() for c in statement)]


@lru_cache(maxsize=4096)
def _stems(text: str) -> frozenset[str]:
    """Beginnings of words of four letters and more; pairs of characters in scripts that put no space between words.

    Korean joins endings to short words: there the first two syllables count, but not those of denials.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    # \w leaves out vowel signs; with it alone every word of Hindi would fall to pieces too short to be judged.
    words = "".join(c if unicodedata.category(c)[0] in "LM" else " " for c in plain).split()
    korean = {word for word in words if _KOREAN.match(word)}
    stems = {word[:_STEM] for word in words if len(word) > 3 and word not in korean and not _UNSPACED.search(word)}
    stems |= {w[:_KOREAN_STEM] for w in korean if len(w) >= _KOREAN_STEM and not w.startswith(_KOREAN_DENIAL)}
    runs = [run for run in re.findall(r"[^\W\d_]+", plain) if _UNSPACED.search(run)]
    pairs = {run[i : i + 2] for run in runs for i in range(len(run) - 1)}
    return frozenset(stems | pairs)
