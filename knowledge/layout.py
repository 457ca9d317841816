"""Lines on pages to running text: reading order, running headers, paragraphs, words that a line end had torn.

Coordinates are those of PDF: points, x to the right, y upwards. Knows neither PDF files nor documents.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from knowledge.scripts import ends_sentence, is_right_to_left, is_unspaced

_NEIGHBOURS = 10  # lines before and after that tell how wide a column is
_INDENT = 3  # letters' heights by which the first line of a paragraph may stand back
_MIN_COLUMN = 5  # lines that make a column
_SHORT = 9  # characters: cells of a table, not lines of a column
_EDGE_LINES = 3  # lines at the top and at the bottom of a page among which running ones are looked for
_ITEM = re.compile(r"\s*(?:[-–—*+•‣▪●○◦・∙◆■□✓➢]|[(（]?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})[.)．、）])\s")
_HYPHENS = "-\u00ad\u2010\u2011"
_CELL_GAP = "  "


class Line(NamedTuple):
    """A piece of text that was set in one go, and where; `size` is the height of its letters in points."""

    text: str
    left: float
    bottom: float
    right: float
    top: float
    size: float
    vertical: bool = False

    def beside(self, other: "Line") -> bool:
        """Whether both stand on one line of print."""
        overlap = min(self.top, other.top) - max(self.bottom, other.bottom)
        return overlap > 0.5 * min(self.top - self.bottom, other.top - other.bottom)

    def above(self, other: "Line") -> bool:
        """Whether both have a stretch of the page's width in common."""
        overlap = min(self.right, other.right) - max(self.left, other.left)
        return overlap > 0.3 * min(self.right - self.left, other.right - other.left)


class Paragraph(NamedTuple):
    """Lines that belong together, as one text; `apart` where a gap separates it from what came before."""

    text: str
    size: float
    apart: bool


Page = Sequence[Line]


def in_reading_order(page: Page) -> list[Line]:
    """The lines of a page, columns one after the other where the file writes across them.

    A file's own order is trusted otherwise: who wrote it knew what is a table and what are columns.
    """
    gutter = _gutter(page)
    if gutter is None:
        return list(page)
    backwards = is_right_to_left("".join(line.text for line in page))
    ordered: list[Line] = []
    sides: tuple[list[Line], list[Line]] = ([], [])
    for line in [*sorted(page, key=lambda line: -line.top), None]:
        if line is None or line.left < gutter < line.right:
            for side in reversed(sides) if backwards else sides:
                ordered += in_reading_order(side)
                side.clear()
            ordered += [line] if line else []
        else:
            sides[line.left >= gutter].append(line)
    return ordered


def _gutter(page: Page) -> float | None:
    """Where a blank strip parts the page into columns of prose that the file's order mixes up; None without one."""
    if len(page) < 2 * _MIN_COLUMN:
        return None
    left, right = min(line.left for line in page), max(line.right for line in page)
    candidates = [left + (right - left) * step / 50 for step in range(12, 39)]
    crossing = [sum(line.left < x < line.right for line in page) for x in candidates]
    best = [x for x, count in zip(candidates, crossing, strict=True) if count == min(crossing)]
    gutter = best[len(best) // 2]
    return gutter if min(crossing) <= len(page) / 4 and _mixes_columns(page, gutter) else None


def _mixes_columns(page: Page, gutter: float) -> bool:
    sides = [line.left >= gutter for line in page if not line.left < gutter < line.right]
    columns = [[line for line in page if (line.right <= gutter, line.left >= gutter)[side]] for side in (0, 1)]
    if min(map(len, columns)) < _MIN_COLUMN or not all(map(_is_prose, columns)):
        return False
    return sum(a != b for a, b in pairwise(sides)) > min(map(len, columns)) / 2


def _is_prose(column: Page) -> bool:
    """Whether sentences run on from line to line, which cells of a table don't do.

    Lines then begin in the middle of a sentence, or, in scripts without small letters, all reach both edges.
    """
    left, right = min(line.left for line in column), max(line.right for line in column)
    if median(line.right - line.left for line in column) < 0.7 * (right - left):
        return False
    begins = [line.text.lstrip()[:1] for line in column]
    if any(character.islower() or character.isupper() for character in begins):
        return sum(character.islower() for character in begins) > 0.4 * len(column)
    full = sum(line.right - line.left > right - left - 2 * line.size for line in column)
    return full > 0.6 * len(column) and median(len(line.text) for line in column) > _SHORT


def without_running_lines(pages: Sequence[Page]) -> list[list[Line]]:
    """The pages without headers and footers: what stands at the same place on most of them, or of every second one."""
    places = [{number: _place(page[number]) for number in _edges(page)} for page in pages]
    dropped: list[set[int]] = [set() for _ in pages]
    for turn in (slice(None), slice(0, None, 2), slice(1, None, 2)):
        counts = Counter(place for page in places[turn] for place in set(page.values()))
        running = {place for place, count in counts.items() if count >= 3 and count > len(places[turn]) / 2}
        for numbers, page in zip(dropped[turn], places[turn], strict=True):
            numbers |= {number for number, place in page.items() if place in running}
    return [
        # A page of which nothing would be left says the same as others, but it does say it.
        [line for number, line in enumerate(page) if number not in numbers or len(numbers) == len(page)]
        for page, numbers in zip(pages, dropped, strict=True)
    ]


def _edges(page: Page) -> set[int]:
    """The numbers of the first and the last lines of a page, from top to bottom, with all that stands beside these."""
    by_height = sorted(range(len(page)), key=lambda number: -page[number].top)
    outermost = (by_height[0], by_height[-1]) if by_height else ()
    beside = {n for n in by_height if any(page[n].beside(page[edge]) for edge in outermost)}
    return {*by_height[:_EDGE_LINES], *by_height[-_EDGE_LINES:], *beside}


def _place(line: Line) -> tuple[str, int]:
    """What a line says, whatever the number in it, and how high it stands, to 8 points."""
    return re.sub(r"\d+|\b[ivxlc]+\b", "#", line.text.strip().lower()), round(line.top / 8)


def words_of(pages: Sequence[Page]) -> frozenset[str]:
    """All words of the document in small letters: they tell which hyphens a line end brought."""
    return frozenset(word for page in pages for line in page for word in re.findall(r"[\w-]+", line.text.lower()))


def paragraphs(page: Page, words: frozenset[str]) -> Iterator[Paragraph]:
    """The page's lines, in reading order, put together to paragraphs, items and rows of tables.

    `words` are those of the whole document, from `words_of`.
    """
    page = _welded(page)
    usual = _usual_gap(page)
    text, last, apart = "", None, True
    for row in _rows(page):
        line = page[row[0]]
        if last is not None and len(row) == 1 and _continues(page, last, row[0], usual, text):
            text = _joined(text, line.text, words)
        else:
            if last is not None:
                yield Paragraph(_cleaned(text), page[last].size, apart)
                apart = _stands_apart(page[last], line, usual)
            text = _CELL_GAP.join(page[cell].text.strip() for cell in row) if len(row) > 1 else line.text
        last = row[-1]
    if last is not None:
        yield Paragraph(_cleaned(text), page[last].size, apart)


def _welded(page: Page) -> list[Line]:
    """The lines, with those made one that only a letter off the line, such as an exponent, had parted."""
    welded: list[Line] = []
    for line in page:
        last = welded[-1] if welded else None
        if last and (_goes_down(last, line) or _touches(last, line)):
            apart = line.left - last.right > 0.2 * line.size and not _goes_down(last, line)
            welded[-1] = Line(
                text=last.text.rstrip() + (" " if apart else "") + line.text.lstrip(),
                left=min(last.left, line.left),
                bottom=min(last.bottom, line.bottom),
                right=max(last.right, line.right),
                top=max(last.top, line.top),
                size=max(last.size, line.size),
                vertical=last.vertical or line.vertical,
            )
        else:
            welded.append(line)
    return welded


def _touches(last: Line, line: Line) -> bool:
    """Whether it goes on beside the last one, not further away than the next word is."""
    near = abs(line.left - last.right) < min(last.size, line.size)
    return near and last.beside(line) and not last.vertical and not line.vertical


def _goes_down(last: Line, line: Line) -> bool:
    """Whether it goes on under the last one in a vertical line, as its punctuation and its numbers do."""
    if not (last.vertical or line.vertical) or not _alike(last, line):
        return False
    aside = abs(last.left + last.right - line.left - line.right) / 2
    gap = last.bottom - line.top
    return aside < 0.75 * last.size and -0.7 * last.size < gap < last.size and line.bottom < last.bottom


def _rows(page: Page) -> Iterator[list[int]]:
    """The numbers of the lines that are printed side by side."""
    row: list[int] = []
    for number, line in enumerate(page):
        if row and (line.vertical or not page[row[-1]].beside(line)):
            yield row
            row = []
        row.append(number)
    if row:
        yield row


def _usual_gap(page: Page) -> float:
    """The blank between two lines of a paragraph, in points."""
    gaps = [a.bottom - b.top for a, b in pairwise(page) if a.above(b) and a.bottom > b.bottom and not a.beside(b)]
    return median(gaps) if gaps else 0.0


def _continues(page: Page, last: int, this: int, usual: float, text: str) -> bool:
    """Whether the sentence of line number `last`, which ends `text`, goes on in line number `this`."""
    previous, line = page[last], page[this]
    if _ITEM.match(line.text) or not _alike(previous, line) or previous.vertical != line.vertical:
        return False
    if not _is_full(previous, page[max(0, last - _NEIGHBOURS) : last + _NEIGHBOURS], text):
        return False
    if line.vertical:
        return line.right <= previous.left + previous.size
    if previous.above(line) and line.top < previous.top:
        return not _stands_apart(previous, line, usual)
    return line.bottom > previous.top and not ends_sentence(text)  # at the top of the next column


def _is_full(line: Line, neighbours: Page, text: str) -> bool:
    """Whether it reaches the end of its column, so that the next word had no room; `text` ends with it."""
    if line.vertical:
        return line.bottom < min(n.bottom for n in neighbours if n.vertical) + 1.5 * line.size
    backwards = is_right_to_left(line.text)
    begin, end = (line.right, line.left) if backwards else (line.left, line.right)
    column = [n for n in neighbours if abs((n.right if backwards else n.left) - begin) < _INDENT * line.size]
    reaches = sorted(abs((n.left if backwards else n.right) - begin) for n in column)
    if ends_sentence(text):  # Then only where others end at the same edge is it more than a last line that is long.
        return len(reaches) > 1 and abs(end - begin) > reaches[-1] - line.size and reaches[-2] > reaches[-1] - line.size
    return abs(end - begin) > reaches[-1] - max(0.15 * reaches[-1], 2 * line.size)


def _alike(line: Line, other: Line) -> bool:
    """Whether both are printed in letters of one size."""
    return abs(line.size - other.size) <= 0.12 * line.size


def _stands_apart(previous: Line, line: Line, usual: float) -> bool:
    if previous.vertical or line.vertical:
        return previous.vertical != line.vertical
    gap = previous.bottom - line.top
    return gap > usual + 0.4 * previous.size or not _alike(previous, line)


def _joined(text: str, following: str, words: frozenset[str]) -> str:
    left, right = text.rstrip(), following.lstrip()
    if not left or not right:
        return left + right
    if left[-1] in _HYPHENS and right[0].islower() and left[-2:-1].isalpha():
        return left + right if _keeps_hyphen(left, right, words) else left[:-1] + right
    spaced = text[-1:].isspace() or following[:1].isspace()
    if not spaced and is_unspaced(left[-1]) and is_unspaced(right[0]):
        return left + right
    return f"{left} {right}"


def _keeps_hyphen(left: str, right: str, words: frozenset[str]) -> bool:
    first, second = re.findall(r"\w+", left)[-1].lower(), re.match(r"\w+", right)
    rest = second[0].lower() if second else ""
    return first + rest not in words and f"{first}-{rest}" in words


def _cleaned(text: str) -> str:
    return re.sub(r"[ \t]{3,}", _CELL_GAP, text.strip())
