"""Concepts out of what a reasoner has listed: each with its polarity, its kind and its dose, decided by fixed tables.

A weak model that is asked for kinds and polarities copies the question back; the words that it lists, and the argument
they come from, say both. Knows nothing of prompts or of how chains are fused.
"""

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from agents.drugs import drugs, unlisted_drugs
from agents.folding import unspaced
from agents.messages import Concept, Kind
from agents.polarity import judge
from agents.quantities import DOSES, quantities

MAX_CONCEPTS = 8
_LETTERS = re.compile(r"(?:[A-Za-z][\s,.;:()-]+)*[A-Za-z][\s,.;:()-]*")
_KINDS: tuple[Kind, ...] = ("investigation", "treatment", "risk", "local_practice", "finding", "diagnosis")


def concepts(listed: Sequence[object], argument: str, language: str) -> tuple[Concept, ...]:
    """The distinct concepts of a listing in their order, at most MAX_CONCEPTS.

    What has no letters is left out, and what is but the letters of options ("A, B, C"). Distinct are two that differ in
    more than case, or of which one is denied.
    """
    names = (" ".join(str(name).split()) for name in listed)
    found: dict[tuple[str, str], Concept] = {}
    for name in filter(_named, names):
        concept = describe(name, argument, language)
        found.setdefault((concept.compared.casefold(), concept.polarity), concept)
    return tuple(found.values())[:MAX_CONCEPTS]


def describe(name: str, argument: str, language: str) -> Concept:
    """One concept as `argument` says it, in its language (BCP 47)."""
    judged = judge(name, language, argument)
    core = judged.core if judged.core != name else ""
    return Concept(
        name=name, core=core, polarity=judged.polarity, kind=kind(judged.core, language), dose=dose(judged.core)
    )


def dose(name: str) -> str:
    """The first dose that a name gives, as "500 mg" or "40 mg/kg"; empty without one."""
    found = next((q for q in quantities(name) if q.unit in DOSES), None)
    return f"{found.number} {found.unit}{'/kg' if found.per_kg else ''}" if found else ""


def kind(name: str, language: str) -> Kind | None:
    """What a concept is, by the medicines and words in its name; None where they don't tell."""
    if drugs(name) or unlisted_drugs(name):
        return "drug"
    plain = _plain(name)
    words = _words(language.split("-")[0])
    return next((k for k in _KINDS if any(_names(plain, word) for word in words.get(k, ()))), None)


@cache
def _words(language: str) -> Mapping[str, tuple[str, ...]]:
    table = tomllib.loads(files("agents").joinpath("kinds.toml").read_text("utf-8")).get(language, {})
    return {kind: tuple(_plain(word) for word in words) for kind, words in table.items()}


def _names(plain: str, word: str) -> bool:
    if any(map(unspaced, word)):
        return word in plain
    if word.startswith("-"):
        return any(part.endswith(word[1:]) and len(part) > len(word) for part in plain.split())
    if len(word) <= 3:
        return word in plain.split()
    return f" {word}" in f" {plain}"


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _named(text: str) -> bool:
    """Whether it names anything: a weak model that was given options lists their letters."""
    return any(c.isalpha() for c in text) and not _LETTERS.fullmatch(text)
