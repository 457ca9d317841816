"""Pairs of concept chains whose fusion is known, made from clinical terms and their translations.

An English chain and a local one that share some concepts, have others of their own, and deny one of the shared ones.
Everything is drawn from a seed. Knows nothing of how chains are fused.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from agents.concept import describe
from agents.messages import ConceptChain
from evaluation.terms import Term

ENGLISH, SHARED, NEIGHBOURS, OTHERS = (
    8,
    4,
    2,
    2,
)  # concepts: of the English chain, of both; local-only ones of two sorts
SEED = 20261130

# The plainest denial of a finding in each language; the words are of `negations.toml`, so that they are seen.
DENIED = {
    "en": "no {}",
    "ar": "لا يوجد {}",
    "es": "sin {}",
    "fr": "pas de {}",
    "hi": "{} नहीं",
    "ja": "{}なし",
    "ko": "{} 없음",
    "pt": "sem {}",
    "sw": "hakuna {}",
    "th": "ไม่มี{}",
    "yo": "kò sí {}",
    "zh": "无{}",
    "zu": "akukho {}",
}

Embed = Callable[[Sequence[str]], npt.NDArray[np.float32]]


class Pair(NamedTuple):
    """Two chains. `order` is that of all their concepts, by English name; `neighbours` and `others` are local-only.

    `denied` is the English name of the shared concept that the local chain denies, empty where it denies none.
    """

    language: str
    order: tuple[Term, ...]
    english: tuple[Term, ...]
    shared: tuple[Term, ...]
    neighbours: tuple[Term, ...]
    others: tuple[Term, ...]
    denied: str

    @property
    def local_only(self) -> tuple[Term, ...]:
        """What only the local side says."""
        return (*self.neighbours, *self.others)

    def english_chain(self) -> ConceptChain:
        """What the English side lists."""
        concepts = tuple(describe(term.english, "", "en") for term in self.english)
        return ConceptChain(side="english", language="en", status="listed", concepts=concepts)

    def local_chain(self) -> ConceptChain:
        """What the local side lists, in its language."""
        concepts = tuple(describe(name, "", self.language) for name in self.local_names().values())
        return ConceptChain(side="local", language=self.language, status="listed", concepts=concepts)

    def local_names(self) -> dict[str, str]:
        """The local names by the English one, in order."""
        said = {term.english: term.translation for term in self.order if term in (*self.shared, *self.local_only)}
        return {e: DENIED[self.language].format(name) if e == self.denied else name for e, name in said.items()}


def neighbours(terms: Sequence[Term], embed: Embed) -> dict[str, Term]:
    """To each English name the term whose English name is nearest to it: siblings, parents, kinds of it."""
    vectors = embed([term.english for term in terms])
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1)
    return {term.english: terms[int(nearest)] for term, nearest in zip(terms, cosines.argmax(axis=1), strict=True)}


def pairs(
    language: str, terms: Sequence[Term], near: dict[str, Term], how_many: int, *, deny: bool
) -> tuple[Pair, ...]:
    """Chains of terms drawn at random; two of the local-only ones are the nearest neighbours of English ones."""
    rng = np.random.default_rng([SEED, *language.encode()])
    return tuple(_pair(language, terms, near, rng, deny=deny) for _ in range(how_many))


def _pair(language: str, terms: Sequence[Term], near: dict[str, Term], rng: np.random.Generator, *, deny: bool) -> Pair:
    drawn = [terms[i] for i in rng.permutation(len(terms))]
    english = drawn[:ENGLISH]
    # A neighbour stands behind the concept that it is near to, which is where fusion should put it.
    following: dict[str, Term] = {}
    for term in english:
        other = near[term.english]
        if len(following) < NEIGHBOURS and other not in english and other not in following.values():
            following[term.english] = other
    others = [term for term in drawn[ENGLISH:] if term not in following.values()][:OTHERS]
    order = [term for one in english for term in (one, following.get(one.english)) if term]
    for term in others:
        order.insert(int(rng.integers(1, len(order) + 1)), term)
    shared = tuple(english[i] for i in sorted(rng.choice(ENGLISH, SHARED, replace=False)))
    denied = shared[int(rng.integers(SHARED))].english if deny else ""
    return Pair(language, tuple(order), tuple(english), shared, tuple(following.values()), tuple(others), denied)
