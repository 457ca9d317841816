"""Clinical terms in English and their translations: the shared term sets, sampled the same way every time.

HPO labels, TICO-19 terms and Disease Ontology names. A term belongs to one half, the same in every language; what is
tuned sees the `tuning` half only. Knows nothing of vectors.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import combinations
from pathlib import Path
from typing import Literal, NamedTuple

Half = Literal["tuning", "held-out", "all"]

_LONGEST = 60  # characters of a concept's name; the sets also hold definitions
_AGREEING = 2  # languages whose translators take two names for one concept
_HPO = ("ja", "zh", "es", "fr", "pt")
_TICO = {
    "sw": ("g_en_sw", "f_en-sw_KE"),
    "zu": ("g_en_zu", "f_en-zu_ZA"),
    "yo": ("g_en_yo", "f_en-yo_NG"),
    "th": ("g_en_th", "f_en-th_TH"),
    "ko": ("g_en_ko", "f_en-ko_KR"),
    "ja": ("g_en_ja", "f_en-ja_XX"),
    "zh": ("g_en_zh-CN", "f_en-zh_CN"),
    "ar": ("g_en_ar", "f_en-ar_AR"),
    "hi": ("g_en_hi", "f_en-hi_IN"),
    "es": ("g_en_es-419", "f_en-es_XX"),
    "fr": ("g_en_fr-FR", "f_en-fr_XX"),
    "pt": ("g_en_pt-BR", "f_en-pt_XX"),
}
MEASURED = ("sw", "zu", "yo", "th", "ko", "ja", "zh", "ar", "hi")  # of TICO-19, for the table of alignment


class Term(NamedTuple):
    """A concept's name in English and in another language."""

    english: str
    translation: str

    @property
    def held_out(self) -> bool:
        """Whether it belongs to the half on which nothing may be tuned."""
        return _digest(self.english)[0] % 2 == 1


class TermSet(NamedTuple):
    """The terms of one source in one language; no English name and no translation is there twice."""

    source: str
    language: str
    terms: tuple[Term, ...]

    def half(self, half: Half) -> "TermSet":
        """The terms of one half, or all."""
        return self._replace(terms=tuple(t for t in self.terms if half == "all" or t.held_out == (half == "held-out")))


def term_sets(data: Path, at_most: int, tico: Sequence[str] = MEASURED) -> tuple[TermSet, ...]:
    """Every source in each of its languages, at most so many terms each: those with the smallest hashes."""
    hpo = (TermSet("hpo", language, _chosen(_hpo(data, language), at_most)) for language in _HPO)
    return (*hpo, *(tico_terms(data, language, at_most) for language in tico), _doid(data, at_most))


def tico_terms(data: Path, language: str, at_most: int) -> TermSet:
    """TICO-19's terms in one language, both of its lists."""
    rows = (row for name in _TICO[language] for row in _rows(data / f"terms/tico19/{name}.csv", ","))
    terms = (Term(row["sourceString"], row["targetString"]) for row in rows)
    return TermSet("tico19", language, _chosen(terms, at_most))


def distinct(terms: Sequence[Term], data: Path) -> tuple[Term, ...]:
    """TICO-19's terms, each concept once: of several names for it the first.

    Two names are one concept where translators into at least two languages gave both the same words: "viral infection"
    and "virus infection", "hand-washing" and "washing hands".
    """
    alike = _alike(data)
    kept: list[Term] = []
    for term in terms:
        if not any(frozenset((_key(term.english), _key(other.english))) in alike for other in kept):
            kept.append(term)
    return tuple(kept)


def _alike(data: Path) -> frozenset[frozenset[str]]:
    """Pairs of English names that stand for one concept."""
    told: dict[tuple[str, str], set[str]] = {}
    for path in sorted((data / "terms/tico19").glob("[fg]_en[-_]*.csv")):
        language = re.split("[-_]", path.stem)[2]
        for row in _rows(path, ","):
            if translation := " ".join(row["targetString"].split()).casefold():
                english = _key(" ".join(row["sourceString"].split()))
                told.setdefault((language, translation), set()).add(english)
    languages: dict[frozenset[str], set[str]] = {}
    for (language, _), names in told.items():
        for pair in combinations(sorted(names), 2):
            languages.setdefault(frozenset(pair), set()).add(language)
    return frozenset(pair for pair, where in languages.items() if len(where) >= _AGREEING)


def _hpo(data: Path, language: str) -> Iterator[Term]:
    for row in _rows(data / "terms/hpo/hpo_labels_aligned.tsv", "\t"):
        yield Term(row["en"], row[language])


def _doid(data: Path, at_most: int) -> TermSet:
    """One name a disease: its synonyms are the same concept."""
    named = {row["source_id"]: row for row in _rows(data / "terms/doid_es/doid-es-translated.tsv", "\t")}
    terms = (Term(row["source_text"], row["translation_text"]) for row in named.values())
    return TermSet("doid", "es", _chosen(terms, at_most))


def _chosen(terms: Iterator[Term], at_most: int) -> tuple[Term, ...]:
    """The translated, short ones, each English name and each translation once, in the order of their hashes."""
    kept: dict[str, Term] = {}
    told: set[str] = set()
    for term in (Term(*(" ".join(text.split()) for text in term)) for term in terms):
        english, translation = _key(term.english), term.translation.casefold()
        if not english or english == translation or max(map(len, term)) > _LONGEST:
            continue
        if translation and english not in kept and translation not in told:
            kept[english] = term
            told.add(translation)
    return tuple(sorted(kept.values(), key=lambda term: _digest(term.english)[1:]))[:at_most]


def _key(english: str) -> str:
    """TICO-19 lists the same term with every name of the virus; these are one concept."""
    return re.sub(r"covid-?19|coronavirus", "covid", english.casefold())


def _digest(english: str) -> bytes:
    return sha256(_key(english).encode()).digest()


def _rows(path: Path, delimiter: str) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter=delimiter)
