"""Fusion: one chain of concepts out of an English and a local one.

`paper` is the released rule of Gao et al. 2026 (arXiv 2601.08267). `grounded` merges cross-language synonyms,
inserts related concepts by that rule, and keeps what is related to nothing English in a local-only lane instead
of dropping it. Works on vectors it is given; knows nothing of models, stores or agents.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from agents.messages import ConceptChain, FusedChain, FusedConcept

Vectors = npt.NDArray[np.float32]
EmbedConcepts = Callable[[Sequence[str]], Vectors]

PAPER_THRESHOLD = 0.7


class FusionStrategy(Protocol):
    """Fuses two chains; embeddings have shape [n, dimension] and need not be normalised."""

    def __call__(self, english: ConceptChain, local: ConceptChain, embed: EmbedConcepts) -> FusedChain:
        """The fused chain."""


class Placement(BaseModel):
    """Where the paper's rule puts a concept: `anchor` is the index of the nearest one, `position` None rejects."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    anchor: int
    similarity: float
    position: int | None


def place(similarities: npt.NDArray[np.float32], threshold: float) -> Placement:
    """The released insertion rule, for one concept against a chain; `similarities` has shape [n], n >= 1.

    With i* the most similar element: below the threshold the concept is rejected; i* = 0 inserts at 1; i* = n - 1
    inserts at n - 1; otherwise left of i* where the mean similarity to the left exceeds that to the right.
    """
    anchor = int(np.argmax(similarities))
    similarity = float(similarities[anchor])
    # In the similarities' own precision: float32's 0.7 is a little less than Python's.
    if similarities[anchor] < np.float32(threshold):
        return Placement(anchor=anchor, similarity=similarity, position=None)
    if anchor == 0:
        position = 1
    elif anchor == len(similarities) - 1:
        position = anchor
    else:
        leftwards = similarities[:anchor].mean() > similarities[anchor + 1 :].mean()
        position = anchor if leftwards else anchor + 1
    return Placement(anchor=anchor, similarity=similarity, position=position)


def _normalised(vectors: Vectors) -> Vectors:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = (vectors / np.where(norms == 0, 1, norms)).astype(np.float32)
    return unit


class _Scaffold:
    """A growing chain of concepts with their vectors."""

    def __init__(self, concepts: Sequence[str], vectors: Vectors) -> None:
        self.concepts = [FusedConcept(name=name, origin="english", status="scaffold") for name in concepts]
        self._vectors = vectors

    def similarities(self, vector: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        found: npt.NDArray[np.float32] = self._vectors @ vector
        return found

    def insert(self, name: str, vector: npt.NDArray[np.float32], placement: Placement) -> None:
        assert placement.position is not None
        concept = self.describe(name, placement, "inserted")
        self.concepts.insert(placement.position, concept)
        self._vectors = np.insert(self._vectors, placement.position, vector, axis=0)

    def merge(self, name: str, placement: Placement) -> None:
        anchor = self.concepts[placement.anchor]
        self.concepts[placement.anchor] = anchor.model_copy(
            update={"local_name": name, "origin": "both", "status": "merged", "similarity": placement.similarity}
        )

    def describe(self, name: str, placement: Placement, status: str) -> FusedConcept:
        return FusedConcept.model_validate(
            {
                "name": name,
                "origin": "local",
                "status": status,
                "similarity": placement.similarity,
                "anchor": self.concepts[placement.anchor].name,
                "position": placement.position,
            }
        )

    def numbered(self) -> tuple[FusedConcept, ...]:
        return tuple(c.model_copy(update={"position": i}) for i, c in enumerate(self.concepts))


def _alone(english: ConceptChain, local: ConceptChain, strategy: str, threshold: float) -> FusedChain | None:
    """The other chain where one is empty (the released code loses both); None where there is something to fuse."""
    if english.concepts and local.concepts:
        return None
    chain = english if english.concepts else local
    concepts = tuple(
        FusedConcept.model_validate(
            {
                "name": name,
                "origin": chain.side,
                "status": "scaffold" if chain.side == "english" else "inserted",
                "position": position,
            }
        )
        for position, name in enumerate(chain.concepts)
    )
    return FusedChain(strategy=strategy, threshold=threshold, concepts=concepts)


class PaperFusion:
    """The released rule to the letter: what is below the threshold is rejected, nothing is merged."""

    def __init__(self, threshold: float = PAPER_THRESHOLD) -> None:
        self._threshold = threshold

    def __call__(self, english: ConceptChain, local: ConceptChain, embed: EmbedConcepts) -> FusedChain:
        """The fused chain; rejected concepts are listed aside."""
        if alone := _alone(english, local, "paper", self._threshold):
            return alone
        vectors = _normalised(embed([*english.concepts, *local.concepts]))
        scaffold = _Scaffold(english.concepts, vectors[: len(english.concepts)])
        aside = []
        for name, vector in zip(local.concepts, vectors[len(english.concepts) :], strict=True):
            placement = place(scaffold.similarities(vector), self._threshold)
            if placement.position is None:
                aside.append(scaffold.describe(name, placement, "rejected"))
            else:
                scaffold.insert(name, vector, placement)
        return FusedChain(strategy="paper", threshold=self._threshold, concepts=scaffold.numbered(), aside=tuple(aside))


class GroundedFusion:
    """Synonyms merge, related concepts are inserted, the rest waits in the local-only lane for evidence."""

    def __init__(self, synonym: float, related: float) -> None:
        self._synonym, self._related = synonym, related

    def __call__(self, english: ConceptChain, local: ConceptChain, embed: EmbedConcepts) -> FusedChain:
        """The fused chain; unconfirmed local-only concepts are listed aside."""
        if alone := _alone(english, local, "grounded", self._related):
            return alone
        vectors = _normalised(embed([*english.concepts, *local.concepts]))
        scaffold = _Scaffold(english.concepts, vectors[: len(english.concepts)])
        aside = []
        for name, vector in zip(local.concepts, vectors[len(english.concepts) :], strict=True):
            placement = place(scaffold.similarities(vector), self._related)
            if placement.position is None:
                aside.append(scaffold.describe(name, placement, "unconfirmed"))
            elif placement.similarity >= np.float32(self._synonym) and self._mergeable(scaffold, placement):
                scaffold.merge(name, placement)
            else:
                scaffold.insert(name, vector, placement)
        return FusedChain(
            strategy="grounded", threshold=self._related, concepts=scaffold.numbered(), aside=tuple(aside)
        )

    @staticmethod
    def _mergeable(scaffold: _Scaffold, placement: Placement) -> bool:
        return scaffold.concepts[placement.anchor].status == "scaffold"


def promote(chain: FusedChain, supported: Sequence[tuple[str, tuple[str, ...]]]) -> FusedChain:
    """The chain with those local-only concepts at its end that passages support; pairs are (name, passage ids).

    A concept without passages stays aside as unconfirmed.
    """
    passages = dict(supported)
    promoted = [
        c.model_copy(update={"status": "promoted", "passages": passages[c.name]})
        for c in chain.aside
        if c.status == "unconfirmed" and passages.get(c.name)
    ]
    names = {c.name for c in promoted}
    concepts = [*chain.concepts, *promoted]
    return chain.model_copy(
        update={
            "concepts": tuple(c.model_copy(update={"position": i}) for i, c in enumerate(concepts)),
            "aside": tuple(c for c in chain.aside if c.name not in names),
        }
    )
