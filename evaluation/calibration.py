"""How well a system's confidence fits what it gets right, and what it gains by keeping silent where it is unsure.

Knows nothing of where a confidence comes from; items without one, and those that are not answered, are left out.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from evaluation.item import Item
from evaluation.scoring import Answered, closed, is_right

_BINS = 10


class Sure(NamedTuple):
    """An answered item, how sure the system was, 0 to 1, and whether it was right."""

    item: Item
    confidence: float
    right: bool


class Point(NamedTuple):
    """Of the abstention curve: where only the surest `coverage` of all items is answered, `accuracy` of it is right."""

    coverage: float
    accuracy: float


def sure(pairs: Iterable[Answered]) -> tuple[Sure, ...]:
    """The answered closed items with a confidence."""
    told = ((pair, pair.prediction.confidence) for pair in closed(pairs) if pair.prediction.status == "answered")
    return tuple(Sure(pair.item, confidence, is_right(pair)) for pair, confidence in told if confidence is not None)


def brier(one: Sure) -> float:
    """The squared distance of confidence and outcome, 0 to 1 (Brier 1950)."""
    return (one.confidence - one.right) ** 2


def expected_calibration_error(answers: Sequence[Sure], bins: int = _BINS) -> float:
    """The mean distance of confidence and accuracy over bins of equal width, weighted by how many fall in each.

    Naeini et al. 2015, "Obtaining well calibrated probabilities using Bayesian binning". Raises ValueError for none.
    """
    if not answers:
        raise ValueError("there are no answers with a confidence")
    confidences = np.array([one.confidence for one in answers])
    right = np.array([one.right for one in answers], np.float64)
    places = np.minimum((confidences * bins).astype(int), bins - 1)
    distances = np.bincount(places, confidences - right, bins)
    return float(np.abs(distances).sum() / len(answers))


def abstention_curve(answers: Sequence[Sure], asked: int) -> tuple[Point, ...]:
    """Accuracy of the surest answers against their share of all `asked` items, from the fewest to all.

    Answers of the same confidence come together, as a threshold would take them (El-Yaniv and Wiener 2010).
    """
    ordered = sorted(answers, key=lambda one: -one.confidence)
    points, hits = [], 0
    for number, one in enumerate(ordered, 1):
        hits += one.right
        if number == len(ordered) or ordered[number].confidence < one.confidence:
            points.append(Point(number / asked, hits / number))
    return tuple(points)
