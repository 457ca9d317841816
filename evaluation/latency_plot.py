"""Milliseconds over the number of passages, as an SVG that any browser shows.

Knows nothing of what was measured.
"""

from collections.abc import Sequence
from html import escape
from math import log10
from typing import NamedTuple

_WIDTH, _HEIGHT, _MARGIN = 640, 360, 60
_COLOURS = ("#c0392b", "#2471a3", "#1e8449")


class Curve(NamedTuple):
    """A named line through points (passages, milliseconds)."""

    name: str
    points: tuple[tuple[float, float], ...]


def plot(title: str, curves: Sequence[Curve], bar_ms: float) -> str:
    """The curves over a logarithmic axis of passages, with a dashed line at the bar that they should stay under."""
    points = [point for curve in curves for point in curve.points]
    sizes = sorted({size for size, _ in points})
    top = 1.1 * max(bar_ms, *(ms for _, ms in points))
    first, last = log10(sizes[0]), log10(sizes[-1])

    def x(size: float) -> float:
        return _MARGIN + (log10(size) - first) / ((last - first) or 1) * (_WIDTH - 2 * _MARGIN)

    def y(ms: float) -> float:
        return _HEIGHT - _MARGIN - ms / top * (_HEIGHT - 2 * _MARGIN)

    parts = [_text(_WIDTH / 2, _MARGIN / 2, title), _text(_WIDTH / 2, _HEIGHT - 12, "passages")]
    parts += [_text(x(size), _HEIGHT - _MARGIN + 18, f"{size:,.0f}") for size in sizes]
    parts += [_text(_MARGIN - 24, y(top * part / 4) + 4, f"{top * part / 4:.0f} ms") for part in range(5)]
    parts += [_line([(_MARGIN, y(0)), (_WIDTH - _MARGIN, y(0))], "#888"), _text(_WIDTH - 30, y(bar_ms) + 4, "bar")]
    parts.append(_line([(_MARGIN, y(bar_ms)), (_WIDTH - _MARGIN, y(bar_ms))], "#888", dashed=True))
    for curve, colour in zip(curves, _COLOURS, strict=False):
        parts.append(_line([(x(size), y(ms)) for size, ms in curve.points], colour))
        size, ms = curve.points[-1]
        parts.append(_text(x(size) + 24, y(ms) + 4, curve.name, colour))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif">'
    return "\n".join((head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>\n"))


def _text(x: float, y: float, text: str, colour: str = "#222") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="12" text-anchor="middle"'
    return f'<text {place} fill="{colour}">{escape(text)}</text>'


def _line(points: Sequence[tuple[float, float]], colour: str, *, dashed: bool = False) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashes = ' stroke-dasharray="6 4"' if dashed else ""
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>'
