"""What a report draws of a benchmark: scores with intervals, scores beside their cost, and the gain of keeping silent.

Knows nothing of how it is drawn.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from evaluation.answers import Answers, overall
from evaluation.calibration import abstention_curve, sure
from evaluation.errors import LibraryMissing
from evaluation.metrics import metric
from evaluation.plots import Line, Mark, against_cost, bars, curves
from evaluation.versus import main_metric


class Figure(NamedTuple):
    """A drawing, and what it shows."""

    title: str
    svg: str


def figures(answers: Sequence[Answers]) -> tuple[tuple[Figure, ...], tuple[str, ...]]:
    """The figures; without matplotlib a sentence in their place."""
    try:
        return tuple(_drawn(answers)), ()
    except LibraryMissing as error:
        return (), (f"There are no figures: {error}",)


def _drawn(answers: Sequence[Answers]) -> Iterator[Figure]:
    marks = [mark for one in answers if (mark := _mark(one))]
    if marks:
        title = main_metric(answers[0]).title
        yield Figure(f"{title} with 95 % intervals", bars(title, marks))
        yield Figure(f"{title} beside its cost", against_cost(title, "tokens written an item", marks))
    lines = [line for one in answers if (line := _silence(one)).points]
    if lines:
        yield Figure("Accuracy of the surest answers", curves("accuracy", "share of all items answered", lines))


def _mark(one: Answers) -> Mark | None:
    score, tokens = overall(main_metric(one), one), overall(metric("tokens-written"), one)
    if score is None or tokens is None:
        return None
    low, high = (score.interval.low, score.interval.high) if score.interval else (score.value, score.value)
    return Mark(one.name, score.value, low, high, tokens.value)


def _silence(one: Answers) -> Line:
    points = abstention_curve(sure(one.pairs), len(one.pairs))
    return Line(one.name, tuple((point.coverage, point.accuracy) for point in points))
