"""Which local concepts are English ones under another name: mutual nearest neighbours with a lead over the second.

A language has a corner of its own among a multilingual embedder's vectors; what is left of a concept's vector without
the mean of its chain says better what it means. Works on vectors it is given; knows nothing of models or of how chains
are fused. What was tried and measured is in `docs/alignment.md`.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from agents.messages import Concept

Vectors = npt.NDArray[np.float32]

CENTRED = 4  # concepts on either side, from which the mean of a chain is taken away
_PREFERRED = 1e-4  # of two equally near concepts, the one that is asserted or denied alike is the synonym


class Cosines(Protocol):
    """What an embedder's cosines mean."""

    @property
    def synonym(self) -> float:
        """From which cosine two concepts may be the same."""

    @property
    def centred(self) -> float | None:
        """The same, of vectors without the mean of their chain; None where they are compared as they are."""

    @property
    def certain(self) -> float | None:
        """From which centred cosine nobody need ask whether they are the same; None where nobody ever asks."""

    @property
    def lead(self) -> float:
        """How far it must exceed the next one."""

    @property
    def related(self) -> float:
        """From which cosine one concept belongs beside another."""


class Pair(NamedTuple):
    """A local and an English concept that are each other's nearest, by index.

    `similarity` is their cosine, `score` (a cosine, perhaps of centred vectors) what is held against `threshold`, and
    `lead` how far the score exceeds that of the next concept of either side. One that is not `certain` may be two
    concepts that are close to each other.
    """

    local: int
    english: int
    similarity: float
    score: float
    threshold: float
    lead: float
    certain: bool = True


class Synonyms:
    """The rule that tells synonyms. `threshold`, `lead`, `centred` and `certain` are inclusive, the embedder's own.

    `centred` is the threshold where both chains have CENTRED concepts, and `certain` the one of centred pairs that are
    beyond doubt; None centres none, and doubts none.
    """

    def __init__(
        self, threshold: float, lead: float = 0.0, centred: float | None = None, certain: float | None = None
    ) -> None:
        self._threshold, self._lead, self._centred, self._certain = threshold, lead, centred, certain

    @classmethod
    def of(cls, cosines: Cosines) -> "Synonyms":
        """With the thresholds of an embedder."""
        return cls(cosines.synonym, cosines.lead, cosines.centred, cosines.certain)

    def __call__(
        self, ours: Sequence[Concept], theirs: Sequence[Concept], english: Vectors, local: Vectors
    ) -> tuple[Pair, ...]:
        """The synonyms among English concepts with vectors [n, d] and local ones with vectors [m, d], n and m >= 1.

        The two of a pair may say opposite things: that is a contradiction, not another concept.
        """
        cosines = normalised(local) @ normalised(english).T
        alike = np.array([[one.asserted == other.asserted for other in ours] for one in theirs])
        scores, threshold, certain = cosines, self._threshold, None
        if self._centred is not None and min(cosines.shape) >= CENTRED:
            scores, threshold, certain = _centred(local) @ _centred(english).T, self._centred, self._certain
        judged = (scores + _PREFERRED * alike).astype(np.float32)
        nearest, back = judged.argmax(axis=1), judged.argmax(axis=0)
        pairs = (
            Pair(i, int(e), float(cosines[i, e]), float(scores[i, e]), threshold, _lead(judged, i, int(e)))
            for i, e in enumerate(nearest)
            if back[e] == i
        )
        sure = (pair._replace(certain=certain is None or pair.score >= certain) for pair in pairs)
        return tuple(pair for pair in sure if self._holds(pair))

    def _holds(self, pair: Pair) -> bool:
        # In the scores' own precision: float32's 0.7 is a little less than Python's.
        return bool(np.float32(pair.score) >= np.float32(pair.threshold)) and pair.lead >= self._lead


def normalised(vectors: Vectors) -> Vectors:
    """The same directions, of length one; what has no direction stays without."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = (vectors / np.where(norms == 0, 1, norms)).astype(np.float32)
    return unit


def _centred(vectors: Vectors) -> Vectors:
    unit = normalised(vectors)
    return normalised(unit - unit.mean(axis=0))


def _lead(scores: Vectors, local: int, english: int) -> float:
    """How far a score exceeds the next of its row and column; without a second, more than any can."""
    others = np.concatenate((np.delete(scores[local], english), np.delete(scores[:, english], local)))
    return float(scores[local, english] - others.max()) if others.size else 2.0
