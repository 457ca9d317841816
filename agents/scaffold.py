"""A growing chain: the English concepts, what is merged into them and inserted among them, and every decision.

Holds the released insertion rule of Gao et al. 2026 (arXiv 2601.08267). Knows nothing of which rule is asked when.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from agents.messages import Concept, ConceptChain, Contradiction, Decision, FusedChain, FusedConcept
from agents.synonyms import Pair, Vectors


class Placement(BaseModel):
    """Where the paper's rule puts a concept: `anchor` is the index of the nearest one, `position` None rejects."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    anchor: int
    similarity: float
    position: int | None
    rule: str


def place(similarities: npt.NDArray[np.float32], threshold: float) -> Placement:
    """The released insertion rule, for one concept against a chain; `similarities` has shape [n], n >= 1.

    With i* the most similar element: below the threshold the concept is rejected; i* = 0 inserts at 1; i* = n - 1
    inserts at n - 1; otherwise left of i* where the mean similarity to the left exceeds that to the right.
    """
    anchor = int(np.argmax(similarities))
    position: int | None
    # In the similarities' own precision: float32's 0.7 is a little less than Python's.
    if similarities[anchor] < np.float32(threshold):
        position, rule = None, "unrelated"
    elif anchor == 0:
        position, rule = 1, "after_first"
    elif anchor == len(similarities) - 1:
        position, rule = anchor, "before_last"
    elif similarities[:anchor].mean() > similarities[anchor + 1 :].mean():
        position, rule = anchor, "nearer_left"
    else:
        position, rule = anchor + 1, "nearer_right"
    return Placement(anchor=anchor, similarity=float(similarities[anchor]), position=position, rule=rule)


class Scaffold:
    """A growing chain of concepts with their vectors, and the decisions that made it."""

    def __init__(self, english: ConceptChain, vectors: Vectors) -> None:
        """The English concepts with their unit vectors [n, d]."""
        self.concepts = [fused_concept(concept, "english", "scaffold") for concept in english.concepts]
        self.aside: list[FusedConcept] = []
        self.contradictions: list[Contradiction] = []
        self.decisions: list[Decision] = []
        self._vectors = vectors

    def similarities(self, vector: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The cosine of a unit vector [d] to each concept that is in the chain by now."""
        found: npt.NDArray[np.float32] = self._vectors @ vector
        return found

    def index(self, english: str) -> int:
        """Where an English concept stands by now."""
        return place_of(self.concepts, english)

    def insert(self, concept: Concept, vector: npt.NDArray[np.float32], placed: Placement, threshold: float) -> None:
        """Put a concept where it was placed."""
        assert placed.position is not None
        self._decide(concept, "inserted", placed, threshold)
        self.concepts.insert(placed.position, self._described(concept, placed, "inserted"))
        self._vectors = np.insert(self._vectors, placed.position, vector, axis=0)

    def leave(self, concept: Concept, placed: Placement, threshold: float, outcome: str, status: str) -> None:
        """Keep a concept aside."""
        self._decide(concept, outcome, placed, threshold)
        self.aside.append(self._described(concept, placed, status))

    def merge(self, concept: Concept, anchor: int, pair: Pair) -> None:
        """Give the concept at `anchor` its local name."""
        placed = Placement(anchor=anchor, similarity=pair.similarity, position=None, rule="synonym")
        self._decide(concept, "merged", placed, pair.threshold, pair)
        self.concepts[anchor] = merged(self.concepts[anchor], self._described(concept, placed, "merged"))

    def doubt(self, concept: Concept, anchor: int, pair: Pair) -> None:
        """Keep a concept aside that is perhaps the one at `anchor`."""
        placed = Placement(anchor=anchor, similarity=pair.similarity, position=None, rule="unsure")
        self._decide(concept, "local_only", placed, pair.threshold, pair)
        self.aside.append(self._described(concept, placed, "unsure"))

    def contradict(self, concept: Concept, against: Concept, anchor: int, pair: Pair, rule: str) -> None:
        """Keep a concept aside that says the opposite of the one at `anchor`, or gives another dose."""
        placed = Placement(anchor=anchor, similarity=pair.similarity, position=None, rule=rule)
        self._decide(concept, "contradicted", placed, pair.threshold, pair)
        self.aside.append(self._described(concept, placed, "contradicted"))
        self.contradictions.append(
            Contradiction(
                english=against.name,
                local=concept.name,
                similarity=pair.similarity,
                english_polarity=against.polarity,
                local_polarity=concept.polarity,
            )
        )

    def _described(self, concept: Concept, placed: Placement, status: str) -> FusedConcept:
        anchor = self.concepts[placed.anchor].name
        return fused_concept(
            concept, "local", status, similarity=placed.similarity, anchor=anchor, position=placed.position
        )

    def _decide(
        self, concept: Concept, outcome: str, placed: Placement, threshold: float, pair: Pair | None = None
    ) -> None:
        decision = {
            "concept": concept.name,
            "outcome": outcome,
            "rule": placed.rule,
            "anchor": self.concepts[placed.anchor].name,
            "similarity": placed.similarity,
            "score": pair.score if pair else None,
            "lead": pair.lead if pair else None,
            "threshold": threshold,
            "position": placed.position,
        }
        self.decisions.append(Decision.model_validate(decision))

    def chain(self, strategy: str, threshold: float) -> FusedChain:
        """The chain as it is now."""
        return FusedChain(
            strategy=strategy,
            threshold=threshold,
            concepts=numbered(self.concepts),
            aside=tuple(self.aside),
            contradictions=tuple(self.contradictions),
            decisions=tuple(self.decisions),
        )


def fused_concept(concept: Concept, origin: str, status: str, **more: Any) -> FusedConcept:
    """A concept as it stands in a fused chain."""
    said = {"name": concept.name, "polarity": concept.polarity, "kind": concept.kind}
    return FusedConcept.model_validate({**said, "origin": origin, "status": status, **more})


def place_of(concepts: Sequence[FusedConcept], english: str) -> int:
    """Where an English concept stands in a chain."""
    return next(place for place, c in enumerate(concepts) if c.name == english and c.origin != "local")


def merged(english: FusedConcept, local: FusedConcept) -> FusedConcept:
    """An English concept with its local synonym; forbidden where either side forbids it."""
    changes = {"local_name": local.name, "origin": "both", "status": "merged", "similarity": local.similarity}
    stronger = local.polarity if local.polarity == "contraindicated" else english.polarity
    return english.model_copy(update={**changes, "kind": english.kind or local.kind, "polarity": stronger})


def numbered(concepts: Sequence[FusedConcept]) -> tuple[FusedConcept, ...]:
    """The concepts with their positions."""
    return tuple(c.model_copy(update={"position": i}) for i, c in enumerate(concepts))
