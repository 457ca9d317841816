"""A metric: what it makes of items and predictions, value by value, so that two systems can be compared, and summed up.

The modules of `evaluation.metrics` hold them; a new one is one file there. Knows nothing of systems and benchmarks.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from evaluation.item import Item
from evaluation.scoring import Answered
from evaluation.statistics import Interval, cluster_interval


class Value(NamedTuple):
    """What one item is worth; `cluster` is the same for the item's other languages, which tell nothing new."""

    item: str
    cluster: str
    language: str
    value: float


class Row(NamedTuple):
    """A line of a summary: of `n` items; the interval is there where they are two or more."""

    name: str
    value: float
    n: int
    interval: Interval | None = None


class Measured(NamedTuple):
    """The values of items, as far as the metric has one for them, and the summary."""

    values: tuple[Value, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Metric:
    """`better` says which way is better; `unit` what a value counts."""

    name: str
    title: str
    better: Literal["higher", "lower"]
    unit: str
    measure: Callable[[Sequence[Answered]], Measured]


def value(item: Item, worth: float) -> Value:
    """An item's value."""
    return Value(item.key, f"{item.benchmark}/{item.id}", item.language, worth)


def summary(values: Sequence[Value]) -> Iterator[Row]:
    """The mean over all items, where they are in several languages, and over those of each."""
    languages = tuple(dict.fromkeys(one.language for one in values))
    if len(languages) > 1:
        yield mean("all", values)
    for language in languages:
        yield mean(language, [one for one in values if one.language == language])


def mean(name: str, values: Sequence[Value]) -> Row:
    """The mean of one or more values, with its interval where there are two clusters or more."""
    worths, clusters = [one.value for one in values], [one.cluster for one in values]
    interval = cluster_interval(worths, clusters) if len(set(clusters)) > 1 else None
    return Row(name, sum(worths) / len(worths), len(worths), interval)


def measured(values: Iterable[Value], *besides: Row) -> Measured:
    """The values with their summary, and what else there is to say."""
    listed = tuple(values)
    return Measured(listed, (*summary(listed), *besides))
