"""Fusion: one chain of concepts out of an English and a local one.

`paper` is the released rule of Gao et al. 2026 (arXiv 2601.08267). `grounded` merges cross-language synonyms,
inserts related concepts by that rule, and keeps what is related to nothing English in a local-only lane instead
of dropping it; a concept that one side denies and the other asserts, or of which they give two doses, is a
contradiction. `side_by_side` fuses nothing.
Works on vectors it is given; knows nothing of models, stores or agents.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from agents.doses import doses_differ
from agents.messages import Concept, ConceptChain, Decision, FusedChain, FusedConcept
from agents.scaffold import Scaffold, fused_concept, merged, numbered, place, place_of
from agents.synonyms import Cosines, Pair, Synonyms, Vectors, normalised

EmbedConcepts = Callable[[Sequence[str]], Vectors]

PAPER_THRESHOLD = 0.7
WAITING = ("unconfirmed", "unsure")  # what a concept is before it is known whether a passage supports it


class FusionStrategy(Protocol):
    """Fuses two chains; embeddings have shape [n, dimension] and need not be normalised."""

    def __call__(self, english: ConceptChain, local: ConceptChain, embed: EmbedConcepts) -> FusedChain:
        """The fused chain."""


def _alone(english: ConceptChain, local: ConceptChain, strategy: str, threshold: float) -> FusedChain | None:
    """The other chain where one is empty (the released code loses both); None where there is something to fuse."""
    if english.concepts and local.concepts:
        return None
    concepts = [fused_concept(concept, "english", "scaffold") for concept in english.concepts]
    concepts += [fused_concept(concept, "local", "inserted") for concept in local.concepts]
    decisions = tuple(
        Decision(concept=concept.name, outcome="inserted", rule="other_chain_empty", position=position)
        for position, concept in enumerate(local.concepts)
    )
    return FusedChain(strategy=strategy, threshold=threshold, concepts=numbered(concepts), decisions=decisions)


class PaperFusion:
    """The released rule to the letter: what is below the threshold is rejected, nothing is merged or contradicted."""

    def __init__(self, threshold: float = PAPER_THRESHOLD) -> None:
        self._threshold = threshold

    def __call__(self, english: ConceptChain, local: ConceptChain, embed: EmbedConcepts) -> FusedChain:
        """The fused chain; rejected concepts are listed aside."""
        if alone := _alone(english, local, "paper", self._threshold):
            return alone
        vectors = normalised(embed([*english.names, *local.names]))
        scaffold = Scaffold(english, vectors[: len(english.concepts)])
        for concept, vector in zip(local.concepts, vectors[len(english.concepts) :], strict=True):
            placed = place(scaffold.similarities(vector), self._threshold)
            if placed.position is None:
                scaffold.leave(concept, placed, self._threshold, "rejected", "rejected")
            else:
                scaffold.insert(concept, vector, placed, self._threshold)
        return scaffold.chain("paper", self._threshold)


class SideBySide:
    """No fusion: the local chain stands behind the English one as it is. What fusion adds is measured against it."""

    def __call__(self, english: ConceptChain, local: ConceptChain, embed: EmbedConcepts) -> FusedChain:
        """Both chains, one after the other; nothing is embedded."""
        ours = [fused_concept(concept, "english", "scaffold") for concept in english.concepts]
        theirs = [fused_concept(concept, "local", "inserted") for concept in local.concepts]
        decisions = tuple(
            Decision(concept=concept.name, outcome="inserted", rule="end_of_chain", position=position)
            for position, concept in enumerate(local.concepts, start=len(ours))
        )
        concepts = numbered([*ours, *theirs])
        return FusedChain(strategy="side_by_side", threshold=1.0, concepts=concepts, decisions=decisions)


class GroundedFusion:
    """Synonyms merge, related concepts are inserted, the rest waits in the local-only lane for evidence.

    So does a concept of which it is not sure whether it is an English one: a guideline that has it makes it its own.
    A denied concept is never placed beside an asserted one, and two doses are never merged.
    """

    def __init__(self, synonyms: Synonyms, related: float) -> None:
        self._synonyms, self._related = synonyms, related

    @classmethod
    def of(cls, cosines: Cosines) -> "GroundedFusion":
        """With the thresholds of an embedder."""
        return cls(Synonyms.of(cosines), cosines.related)

    def __call__(self, english: ConceptChain, local: ConceptChain, embed: EmbedConcepts) -> FusedChain:
        """The fused chain; unconfirmed local-only concepts are listed aside."""
        if alone := _alone(english, local, "grounded", self._related):
            return alone
        ours, theirs = english.concepts, local.concepts
        vectors = normalised(embed([concept.compared for concept in (*ours, *theirs)]))
        scaffold = Scaffold(english, vectors[: len(ours)])
        pairs = {p.local: p for p in self._synonyms(ours, theirs, vectors[: len(ours)], vectors[len(ours) :])}
        for index, concept in enumerate(theirs):
            if pair := pairs.get(index):
                self._join(scaffold, concept, ours[pair.english], pair)
            else:
                self._place(scaffold, concept, vectors[len(ours) + index])
        return scaffold.chain("grounded", self._related)

    def _join(self, scaffold: Scaffold, concept: Concept, synonym: Concept, pair: Pair) -> None:
        anchor = scaffold.index(synonym.name)
        if concept.asserted != synonym.asserted:
            scaffold.contradict(concept, synonym, anchor, pair, "opposite_polarity")
        elif doses_differ(concept, synonym):
            scaffold.contradict(concept, synonym, anchor, pair, "another_dose")
        elif pair.certain:
            scaffold.merge(concept, anchor, pair)
        else:
            scaffold.doubt(concept, anchor, pair)

    def _place(self, scaffold: Scaffold, concept: Concept, vector: npt.NDArray[np.float32]) -> None:
        similarities = scaffold.similarities(vector)
        placed = place(similarities, self._related)
        nearest = scaffold.concepts[placed.anchor]
        if placed.position is not None and (nearest.polarity == "present") != concept.asserted:
            placed = placed.model_copy(update={"position": None, "rule": "opposite_polarity"})
        if placed.position is None:
            scaffold.leave(concept, placed, self._related, "local_only", "unconfirmed")
        else:
            scaffold.insert(concept, vector, placed, self._related)


def promote(chain: FusedChain, supported: Sequence[tuple[str, tuple[str, ...]]]) -> FusedChain:
    """The chain with those local-only concepts in it that passages support; pairs are (name, passage ids).

    Each stands behind the concept that came before it in the local chain, or at the end where none of those is in the
    fused one; one that might have been a synonym stands behind that one. Without passages such a one is merged, and
    any other stays aside as unconfirmed.
    """
    passages = dict(supported)
    order = [decision.concept for decision in chain.decisions]
    concepts, decisions = list(chain.concepts), list(chain.decisions)
    aside: list[FusedConcept] = []
    for concept in chain.aside:
        found = passages.get(concept.name, ())
        if concept.status not in WAITING:
            aside.append(concept)
        elif found:
            unsure = concept.status == "unsure"
            before = order[: order.index(concept.name)]
            position, rule = _behind_anchor(concepts, concept) if unsure else _behind(concepts, before)
            concepts.insert(position, concept.model_copy(update={"status": "promoted", "passages": found}))
            decided = {"concept": concept.name, "outcome": "promoted", "rule": rule, "passages": found}
            decisions.append(Decision.model_validate({**decided, "position": position}))
        elif concept.status == "unsure":
            anchor = place_of(concepts, concept.anchor or "")
            concepts[anchor] = merged(concepts[anchor], concept)
            doubted = next(decision for decision in decisions if decision.concept == concept.name)
            decisions.append(doubted.model_copy(update={"outcome": "merged", "rule": "synonym"}))
        else:
            aside.append(concept)
            decisions.append(Decision(concept=concept.name, outcome="unconfirmed", rule="no_passage"))
    fused = {"concepts": numbered(concepts), "aside": tuple(aside), "decisions": tuple(decisions)}
    return chain.model_copy(update=fused)


def _behind_anchor(concepts: Sequence[FusedConcept], concept: FusedConcept) -> tuple[int, str]:
    return place_of(concepts, concept.anchor or "") + 1, "behind_anchor"


def _behind(concepts: Sequence[FusedConcept], before: Sequence[str]) -> tuple[int, str]:
    """The place behind the last of the local concepts `before` that is in the chain, and the rule's name."""
    places = {c.local_name or c.name: place for place, c in enumerate(concepts) if c.origin != "english"}
    known = [places[name] for name in before if name in places]
    return (known[-1] + 1, "behind_predecessor") if known else (len(concepts), "end_of_chain")
