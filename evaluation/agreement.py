"""What raters said, unblinded: means with intervals, preferences, and how far raters agree.

Agreement is Krippendorff's alpha (Hayes and Krippendorff 2007, https://doi.org/10.1080/19312450709336664), ordinal for
scores and nominal for preferences. Knows nothing of how it is shown.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from evaluation.assignment import Task
from evaluation.errors import LibraryMissing
from evaluation.review import AXES, SCALE, Rating, Review
from evaluation.statistics import Interval, cluster_interval

Level = Literal["ordinal", "nominal"]


class Rated(NamedTuple):
    """A rating with the systems told: scores by system and axis, and the system preferred, or none."""

    rating: Rating
    task: Task
    scores: Mapping[str, Mapping[str, int]]
    preferred: str

    @property
    def item(self) -> str:
        """The item."""
        return self.rating.item


class Said(NamedTuple):
    """A rater's word on one unit, as a number."""

    rater: str
    unit: Hashable
    value: float


def unblinded(review: Review) -> tuple[Rated, ...]:
    """The ratings with what raters were not told."""
    tasks = {(task.rater, task.item): task for task in review.assignments.tasks}
    return tuple(_rated(rating, tasks[rating.rater, rating.item]) for rating in review.ratings)


def _rated(rating: Rating, task: Task) -> Rated:
    scores = {task.left.system: rating.left.model_dump(), task.right.system: rating.right.model_dump()}
    sides = {"left": task.left.system, "right": task.right.system, "neither": ""}
    return Rated(rating, task, scores, sides[rating.preferred])


def alpha(said: Iterable[Said], level: Level, values: Sequence[float]) -> float | None:
    """Krippendorff's alpha, 1 for perfect agreement and 0 for chance; None where no unit has two raters, or all said
    the same of everything, of which chance says nothing. Raises LibraryMissing."""
    table = _table(said)
    twice = (~np.isnan(table)).sum(axis=0) >= 2
    compared = table[:, twice]
    if not twice.any() or len(np.unique(compared[~np.isnan(compared)])) < 2:
        return None
    try:
        import krippendorff
    except ImportError as error:
        raise LibraryMissing("krippendorff is not installed; run pip install 'med-coreasoner[evaluation]'.") from error
    return float(krippendorff.alpha(reliability_data=compared, value_domain=list(values), level_of_measurement=level))


def _table(said: Iterable[Said]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """A row a rater, a column a unit; not a number where a rater said nothing."""
    listed = list(said)
    raters = {name: row for row, name in enumerate(dict.fromkeys(one.rater for one in listed))}
    units = {unit: column for column, unit in enumerate(dict.fromkeys(one.unit for one in listed))}
    table = np.full((len(raters), len(units)), np.nan)
    for one in listed:
        table[raters[one.rater], units[one.unit]] = one.value
    return table


def axis_alpha(rated: Sequence[Rated], axis: str) -> float | None:
    """How far raters agree on an axis; the units are answers."""
    said = (
        Said(one.rating.rater, (one.item, system), float(scores[axis]))
        for one in rated
        for system, scores in one.scores.items()
    )
    return alpha(said, "ordinal", [float(value) for value in SCALE])


def preference_alpha(rated: Sequence[Rated], systems: Sequence[str]) -> float | None:
    """How far raters agree on which system's answer they prefer; the units are pairs."""
    numbers = {system: float(n) for n, system in enumerate((*systems, ""))}
    said = (Said(one.rating.rater, one.item, numbers[one.preferred]) for one in rated)
    return alpha(said, "nominal", list(numbers.values()))


def mean(rated: Sequence[Rated], system: str, axis: str) -> tuple[float, Interval | None]:
    """A system's mean on an axis; the interval draws items, of which it needs two."""
    return _mean([(one.item, float(one.scores[system][axis])) for one in rated])


def difference(rated: Sequence[Rated], systems: tuple[str, str], axis: str) -> tuple[float, Interval | None]:
    """By how much the second is rated above the first, by the same rater on the same item."""
    first, second = systems
    return _mean([(one.item, float(one.scores[second][axis] - one.scores[first][axis])) for one in rated])


def preferred(rated: Sequence[Rated], system: str) -> tuple[float, Interval | None]:
    """The share of ratings that prefer a system; of those that prefer none where it is empty."""
    return _mean([(one.item, float(one.preferred == system)) for one in rated])


def _mean(values: Sequence[tuple[str, float]]) -> tuple[float, Interval | None]:
    items, numbers = [item for item, _ in values], [value for _, value in values]
    interval = cluster_interval(numbers, items) if len(set(items)) > 1 else None
    return float(np.mean(numbers)), interval


def rows(rated: Iterable[Rated]) -> Iterator[dict[str, str | int]]:
    """The ratings as rows to take away, one an answer, with the system's name."""
    for one in rated:
        sides = (("left", one.task.left, one.rating.left), ("right", one.task.right, one.rating.right))
        for side, voice, scores in sides:
            yield {
                "rater": one.rating.rater,
                "item": one.item,
                "system": voice.system,
                "transcript": voice.transcript,
                "side": side,
                **{axis: getattr(scores, axis) for axis in AXES},
                "preferred": one.preferred,
                "note": one.rating.note,
                "at": one.rating.at.isoformat(),
            }
