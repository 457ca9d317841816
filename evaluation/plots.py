"""The figures of a report, as SVG that stands in a page by itself: scores with intervals, scores against cost, and what
is gained by keeping silent.

Needs matplotlib, which is an extra. Knows nothing of where the figures come from.
"""

import io
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from evaluation.errors import LibraryMissing

_WIDTH, _HEIGHT = 7, 3.2  # inches
_COLOUR = "#1f5f8b"
# Names are names: a dollar sign in one begins no formula.
_STYLE: Any = {"svg.fonttype": "none", "svg.hashsalt": "coreasoner", "font.size": 9, "text.parse_math": False}


class Mark(NamedTuple):
    """A named value with its interval, if it has one, and what it cost."""

    name: str
    value: float
    low: float
    high: float
    cost: float


class Line(NamedTuple):
    """A named line through points."""

    name: str
    points: tuple[tuple[float, float], ...]


def bars(title: str, marks: Sequence[Mark]) -> str:
    """One line a system, the value as a point on it and the interval as a bar. Raises LibraryMissing."""
    places = range(len(marks), 0, -1)

    def draw(axes: Any) -> None:
        for place, mark in zip(places, marks, strict=True):
            axes.errorbar(mark.value, place, xerr=_reach(mark), fmt="o", color=_COLOUR, capsize=3)
        axes.set_yticks(list(places), [mark.name for mark in marks])
        axes.set_xlabel(title)

    return _drawn(0.6 + 0.3 * len(marks), draw)


def against_cost(title: str, cost: str, marks: Sequence[Mark]) -> str:
    """Each system as a point, its value above what it cost. Raises LibraryMissing."""

    def draw(axes: Any) -> None:
        for mark in marks:
            axes.errorbar(mark.cost, mark.value, yerr=_reach(mark), fmt="o", color=_COLOUR, capsize=3)
            axes.annotate(mark.name, (mark.cost, mark.value), xytext=(5, 3), textcoords="offset points")
        axes.set_xlabel(cost)
        axes.set_ylabel(title)

    return _drawn(_HEIGHT, draw)


def curves(title: str, across: str, lines: Sequence[Line]) -> str:
    """Lines over a common axis from 0 to 1. Raises LibraryMissing."""

    def draw(axes: Any) -> None:
        for line in lines:
            axes.plot(*zip(*line.points, strict=True), marker="o", markersize=3, label=line.name)
        axes.set_xlim(0, 1.05)
        axes.set_xlabel(across)
        axes.set_ylabel(title)
        axes.legend(fontsize=7)

    return _drawn(_HEIGHT, draw)


def _reach(mark: Mark) -> list[list[float]]:
    return [[max(0.0, mark.value - mark.low)], [max(0.0, mark.high - mark.value)]]


def _drawn(height: float, draw: Callable[[Any], None]) -> str:
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        raise LibraryMissing("matplotlib is not installed; run pip install 'med-coreasoner[evaluation]'.") from error
    drawn = io.StringIO()
    with rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH, height), layout="tight")
        axes = figure.add_subplot()
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        draw(axes)
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    # What stands before the element belongs to a file of its own, not into a page.
    text = drawn.getvalue()
    return text[text.index("<svg") :]
