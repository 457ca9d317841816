"""Is one system better than another on the same items, by how much, how sure is that, and were there enough items?

Values are paired by item. Items of one id in several languages are one cluster of the bootstrap; McNemar's test, which
knows no clusters, is made of items that stand there once. Knows nothing of what was measured.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from evaluation.errors import LibraryMissing, NotPaired
from evaluation.metric import Value
from evaluation.statistics import Interval, cluster_interval

_ALPHA, _POWER = 0.05, 0.8
_MOST = 20_000  # items: beyond, a sentence says "more than"


class Pair(NamedTuple):
    """What two systems have on one item; `cluster` is the same for the item's other languages."""

    item: str
    cluster: str
    first: float
    second: float


class Discordance(NamedTuple):
    """Of `n` items: `gained` are right with the second system only, `lost` with the first only."""

    n: int
    gained: int
    lost: int

    @property
    def difference(self) -> float:
        """The second's accuracy less the first's."""
        return (self.gained - self.lost) / self.n

    @property
    def rate(self) -> float:
        """The share of items on which the two differ."""
        return (self.gained + self.lost) / self.n


def paired(first: Iterable[Value], second: Iterable[Value]) -> tuple[Pair, ...]:
    """The items that both have a value for, in the first's order. Raises NotPaired for none, or one twice."""
    ours, theirs = _by_item(first), _by_item(second)
    pairs = tuple(
        Pair(item, value.cluster, value.value, theirs[item].value) for item, value in ours.items() if item in theirs
    )
    if not pairs:
        raise NotPaired("The two have no item in common; compare runs of the same benchmark, languages and seed.")
    return pairs


def _by_item(values: Iterable[Value]) -> Mapping[str, Value]:
    found: dict[str, Value] = {}
    for value in values:
        if value.item in found:
            raise NotPaired(f"{value.item} has two values; compare one system, model and seed with one other.")
        found[value.item] = value
    return found


def difference(pairs: Sequence[Pair], level: float = 1 - _ALPHA) -> Interval:
    """The second's mean less the first's, with a paired bootstrap interval. Raises ValueError for one cluster."""
    return cluster_interval([pair.second - pair.first for pair in pairs], [pair.cluster for pair in pairs], level)


def discordance(pairs: Sequence[Pair]) -> Discordance:
    """How often only one of the two is right. Raises NotPaired for values but 0 and 1, or an item in several languages.

    Look at one language at a time: the same question in five languages is not five questions.
    """
    if any(value not in (0.0, 1.0) for pair in pairs for value in (pair.first, pair.second)):
        raise NotPaired("McNemar's test is for right and wrong; compare other values by their interval.")
    if len({pair.cluster for pair in pairs}) < len(pairs):
        raise NotPaired("McNemar's test needs each item once; compare one language at a time.")
    gained = sum(pair.second > pair.first for pair in pairs)
    return Discordance(len(pairs), gained, sum(pair.first > pair.second for pair in pairs))


def mcnemar(found: Discordance) -> float:
    """The exact two-sided p-value of McNemar's test (McNemar 1947). Raises LibraryMissing."""
    try:
        from statsmodels.stats.contingency_tables import mcnemar as test
    except ImportError as error:
        raise LibraryMissing(_STATSMODELS) from error
    both = found.n - found.gained - found.lost
    return min(1.0, float(test([[both, found.lost], [found.gained, 0]], exact=True).pvalue))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """The p-values of several tests, each raised so that one false alarm in all of them stays rare (Holm 1979).

    Raises LibraryMissing.
    """
    try:
        from statsmodels.stats.multitest import multipletests
    except ImportError as error:
        raise LibraryMissing(_STATSMODELS) from error
    return tuple(float(p) for p in multipletests(p_values, method="holm")[1]) if p_values else ()


_STATSMODELS = "statsmodels is not installed; run pip install 'med-coreasoner[evaluation]'."


def power(n: int, rate: float, shown: float, alpha: float = _ALPHA) -> float:
    """How likely the exact test finds a true difference `shown` with `n` items of which a share `rate` differs.

    The chance that the test rejects in the right direction, over all numbers of differing items. Raises ValueError for
    a difference larger than the share that differs.
    """
    if not 0 < abs(shown) <= rate <= 1:
        raise ValueError("a difference is larger than 0 and at most the share of items that differ")
    differing = np.arange(n + 1)
    binom = _binom()
    gained = binom.sf(differing - _limits(differing, alpha) - 1, differing, 0.5 + abs(shown) / (2 * rate))
    return float(np.sum(binom.pmf(differing, n, rate) * gained))


def _limits(differing: npt.NDArray[np.int64], alpha: float) -> npt.NDArray[np.float64]:
    """With how many of the `differing` items against the better one the test just rejects; -1 where it never does."""
    binom = _binom()
    limits = binom.ppf(alpha / 2, differing, 0.5)
    return np.asarray(np.where(2 * binom.cdf(limits, differing, 0.5) <= alpha, limits, limits - 1), np.float64)


def needed(rate: float, shown: float, alpha: float = _ALPHA) -> int | None:
    """The fewest items with which the test finds such a difference four times in five; None beyond 20 000."""
    low, high = 1, 16
    while power(high, rate, shown, alpha) < _POWER:
        low, high = high, high * 2
        if high > _MOST:
            return None
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle, rate, shown, alpha) >= _POWER else (middle, high)
    return high


def smallest(n: int, rate: float, alpha: float = _ALPHA) -> float | None:
    """The smallest true difference that `n` items show four times in five; None where not even `rate` is shown."""
    steps = [step / n for step in range(1, round(rate * n) + 1)]
    place = bisect_left(steps, _POWER, key=lambda shown: power(n, rate, min(shown, rate), alpha))
    return steps[place] if place < len(steps) else None


def enough(found: Discordance, alpha: float = _ALPHA) -> str:
    """A sentence that says whether the items are enough for the difference that was found."""
    differ = found.gained + found.lost
    told = f"{found.n} items, {differ} answered differently"
    if not differ:
        return f"{told}: nothing can be said of a difference."
    least = smallest(found.n, found.rate, alpha)
    reach = f"only a difference of {least:.0%} or more" if least else "no difference at all"
    if not found.difference:
        return f"{told}, as often for the better as for the worse: so many would reliably show {reach}."
    if power(found.n, found.rate, found.difference, alpha) >= _POWER:
        return f"{told}: enough for the difference of {found.difference:+.1%} that was found."
    wanted = needed(found.rate, found.difference, alpha)
    count = f"about {wanted}" if wanted else f"more than {_MOST}"
    return (
        f"{told}: not enough for the difference of {found.difference:+.1%} that was found, which needs {count} items; "
        f"so many would reliably show {reach}."
    )


def _binom() -> Any:
    # Importing it takes longer than most commands run.
    from scipy.stats import binom

    return binom
