"""How sure a measured mean is: bootstrap intervals over the questions it was taken from.

Knows nothing of what was measured.
"""

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

_RESAMPLES = 5000
_DRAWN_AT_ONCE = 10_000_000  # values of resamples that are in memory together
_SEED = 20261123  # any number; fixed, so that the same figures give the same interval

_Counts = npt.NDArray[np.float64]


class Interval(NamedTuple):
    """A mean and the interval that holds it with the asked confidence."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


def mean_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """The mean of `values` with its percentile bootstrap interval, the same for the same values.

    Give differences of pairs to compare two systems on the same questions: they differ where the interval leaves out 0.
    Efron 1979, "Bootstrap methods: another look at the jackknife", https://doi.org/10.1214/aos/1176344552.
    Raises ValueError for fewer than two values.
    """
    if len(values) < 2:
        raise ValueError("an interval needs at least two values")
    drawn = _bootstrap(
        (np.asarray(values, np.float64),),
        np.mean,
        confidence_level=level,
        n_resamples=_RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(_SEED),
    ).confidence_interval
    return Interval(float(np.mean(values)), float(drawn.low), float(drawn.high))


class Hits(NamedTuple):
    """What one question brought: `right` ones found, `wrong` ones found, `missed` ones not found."""

    right: int
    wrong: int
    missed: int


def f1(hits: Sequence[Hits]) -> float:
    """The harmonic mean of precision and recall over all questions together; 0 where nothing was right."""
    right, wrong, missed = (sum(counts) for counts in zip(*hits, strict=True))
    return 2 * right / (2 * right + wrong + missed) if right else 0.0


def f1_interval(hits: Sequence[Hits], level: float = 0.95) -> Interval:
    """F1 with its percentile bootstrap interval over questions. Raises ValueError for fewer than two."""
    if len(hits) < 2:
        raise ValueError("an interval needs at least two questions")
    drawn = _bootstrap(
        tuple(np.asarray(hits, np.float64).T),
        _f1_of_sums,
        paired=True,
        confidence_level=level,
        n_resamples=_RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(_SEED),
    ).confidence_interval
    return Interval(f1(hits), float(drawn.low), float(drawn.high))


def _f1_of_sums(right: _Counts, wrong: _Counts, missed: _Counts, axis: int = -1) -> _Counts:
    found = 2 * right.sum(axis=axis)
    return np.asarray(found / np.maximum(found + wrong.sum(axis=axis) + missed.sum(axis=axis), 1), np.float64)


def cluster_interval(values: Sequence[float], clusters: Sequence[Hashable], level: float = 0.95) -> Interval:
    """The mean of all `values` with its percentile bootstrap interval over clusters, which are drawn whole.

    A question that was asked in five languages is one cluster: its five values are not five questions. Clusters of one
    value each give what `mean_interval` gives. Raises ValueError for fewer than two clusters.
    """
    sums: dict[Hashable, list[float]] = {}
    for value, cluster in zip(values, clusters, strict=True):
        entry = sums.setdefault(cluster, [0.0, 0.0])
        entry[0] += value
        entry[1] += 1
    if len(sums) < 2:
        raise ValueError("an interval needs at least two clusters")
    drawn = _bootstrap(
        tuple(np.asarray(list(sums.values()), np.float64).T),
        _ratio_of_sums,
        paired=True,
        confidence_level=level,
        n_resamples=_RESAMPLES,
        batch=min(_RESAMPLES, max(1, _DRAWN_AT_ONCE // len(sums))),
        method="percentile",
        rng=np.random.default_rng(_SEED),
    ).confidence_interval
    return Interval(float(np.mean(values)), float(drawn.low), float(drawn.high))


def _ratio_of_sums(totals: _Counts, counts: _Counts, axis: int = -1) -> _Counts:
    return np.asarray(totals.sum(axis=axis) / counts.sum(axis=axis), np.float64)


def _bootstrap(*of: Any, **how: Any) -> Any:
    # Importing it takes longer than most commands run.
    from scipy.stats import bootstrap

    return bootstrap(*of, **how)
