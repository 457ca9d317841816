"""A page's letters as PDFium finds them, put together to lines.

It knows nothing of columns, paragraphs or documents.
"""

import ctypes
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from math import hypot
from typing import NamedTuple
from unicodedata import category

import pypdfium2
import pypdfium2.raw as pdfium

from knowledge.layout import Line
from knowledge.scripts import is_right_to_left, is_unspaced, spelt

UNKNOWN = "\ufffd"  # a letter that is seen, and of which the file doesn't say which one it is
_RECENT = 24  # glyphs among which a repetition is looked for
_COLUMN_GAP = 2.0  # of the letters' height: blanks that wide part columns or cells
_READABLE = 1.0  # points
_INKLESS = (pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP)
_EXPONENTS = "0123456789+-−"
_RAISED = str.maketrans(_EXPONENTS, "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻")
_LINE_END_HYPHENS = ("\x02", "\ufffe")  # how PDFium marks a hyphen at the end of a line


class _Glyph(NamedTuple):
    text: str
    left: float
    bottom: float
    right: float
    top: float
    size: float  # of its font, in points
    sideways: bool  # printed up or down the page, with its foot to one side
    hidden: bool

    @property
    def is_inked(self) -> bool:
        return self.top > self.bottom and not self.text.isspace()

    @property
    def box(self) -> tuple[float, float, float, float]:
        return self[1:5]


class Printed(NamedTuple):
    """A page's lines in the order of the file, and how many letters a reader would not see."""

    lines: list[Line]
    hidden: int


def printed(page: pypdfium2.PdfPage, *, scanned: bool) -> Printed:
    """What is on the page as it is turned for reading; what lies outside of it isn't seen.

    Letters without ink, or of less than a point, are hidden. On a `scanned` page those without ink are the recognised
    text of its picture.
    """
    textpage = page.get_textpage()
    lines, run = [], _Run()
    glyphs = list(_glyphs(textpage, page, scanned=scanned))
    shown = [glyph for glyph in glyphs if not glyph.hidden]
    for glyph in _without_false_blanks(_once(shown)):
        ends = glyph.text in "\r\n"
        if ends or (glyph.is_inked and not run.goes_on(glyph)):
            lines += run.line()
            run = _Run()
        if not ends:
            run.add(glyph)
    textpage.close()
    return Printed([*lines, *run.line()], sum(glyph.hidden and glyph.is_inked for glyph in glyphs))


def _glyphs(textpage: pypdfium2.PdfTextPage, page: pypdfium2.PdfPage, *, scanned: bool) -> Iterator[_Glyph]:
    turn, (left, bottom, right, top) = _turn(page), page.get_cropbox()
    turned = page.get_rotation() in (90, 270)
    box, matrix = pdfium.FS_RECTF(), pdfium.FS_MATRIX()
    place, scale = ctypes.byref(box), ctypes.byref(matrix)
    for index in range(textpage.count_chars()):
        text = _letter(textpage, index)
        if not pdfium.FPDFText_GetLooseCharBox(textpage, index, place):
            box.left = box.bottom = box.right = box.top = 0.0
        x, y = (box.left + box.right) / 2, (box.bottom + box.top) / 2
        if text not in "\r\n" and not (left <= x <= right and bottom <= y <= top):
            continue
        size, sideways = pdfium.FPDFText_GetFontSize(textpage, index), False
        if pdfium.FPDFText_GetMatrix(textpage, index, scale):
            size *= hypot(matrix.c, matrix.d)
            sideways = (abs(matrix.b) > abs(matrix.a)) != turned
        (x1, y1), (x2, y2) = turn(box.left, box.bottom), turn(box.right, box.top)
        hidden = (size < _READABLE and text not in "\r\n") or not (scanned or _has_ink(textpage, index))
        yield _Glyph(text, min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2), size, sideways, hidden)


def _has_ink(textpage: pypdfium2.PdfTextPage, index: int) -> bool:
    letters = pdfium.FPDFText_GetTextObject(textpage, index)  # none for the blanks that PDFium finds itself
    return not letters or pdfium.FPDFTextObj_GetTextRenderMode(letters) not in _INKLESS


def _once(glyphs: Iterable[_Glyph]) -> Iterator[_Glyph]:
    """The glyphs without repetitions: where a file says what a letter with its marks is, PDFium says it for each mark.

    The repetition stands over or under the letter, so nothing but it can be there.
    """
    recent: deque[_Glyph] = deque(maxlen=_RECENT)
    cluster: list[_Glyph] = []
    for glyph in glyphs:
        if cluster and category(glyph.text[0]) == "Mn":
            cluster.append(glyph)
            continue
        yield from _unless_repeated(cluster, recent)
        cluster = [glyph]
    yield from _unless_repeated(cluster, recent)


def _unless_repeated(cluster: Sequence[_Glyph], recent: deque[_Glyph]) -> Sequence[_Glyph]:
    if len(cluster) > 1 and _is_repeated(cluster, recent):
        return ()
    recent.extend(cluster)
    return cluster


def _without_false_blanks(glyphs: Iterable[_Glyph]) -> Iterator[_Glyph]:
    """The glyphs without the blanks that PDFium finds between letters that touch, in scripts that have none there."""
    last: _Glyph | None = None
    blank: _Glyph | None = None
    for glyph in glyphs:
        if glyph.text == " " and not glyph.is_inked and glyph.right - glyph.left < 0.01:
            blank = glyph
            continue
        if blank and not (last and glyph.is_inked and _touch(last, glyph)):
            yield blank
        blank = None
        yield glyph
        last = glyph if glyph.is_inked else last


def _touch(last: _Glyph, glyph: _Glyph) -> bool:
    # The Thai vowel am is drawn as two glyphs, of which only the first is in its box.
    blank = 0.6 if last.text == "\u0e33" else 0.12
    return glyph.left - last.right < blank * last.size and is_unspaced(last.text[-1]) and is_unspaced(glyph.text[0])


def _is_repeated(cluster: Sequence[_Glyph], recent: Sequence[_Glyph]) -> bool:
    first = cluster[0]
    return any(
        glyph.text == first.text
        and abs(glyph.left - first.left) < 0.6 * first.size
        and abs(glyph.bottom - first.bottom) < 1.5 * first.size
        and [g.text for g in list(recent)[number : number + len(cluster)]] == [g.text for g in cluster]
        for number, glyph in enumerate(recent)
    )


def _letter(textpage: pypdfium2.PdfTextPage, index: int) -> str:
    code = pdfium.FPDFText_GetUnicode(textpage, index)
    text = chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else UNKNOWN
    if text in _LINE_END_HYPHENS:
        return "-"
    return UNKNOWN if pdfium.FPDFText_HasUnicodeMapError(textpage, index) == 1 else text


def _turn(page: pypdfium2.PdfPage) -> Callable[[float, float], tuple[float, float]]:
    """How points move when the page is turned as its file says."""
    left, bottom, right, top = page.get_mediabox()
    return {
        90: lambda x, y: (y - bottom, right - x),
        180: lambda x, y: (right - x, top - y),
        270: lambda x, y: (top - y, x - left),
    }.get(page.get_rotation(), lambda x, y: (x, y))


class _Run:
    """Glyphs that follow one another without a gap, along a line or down a column."""

    def __init__(self) -> None:
        self._glyphs: list[_Glyph] = []
        self._last: _Glyph | None = None  # that has ink: PDFium places its own spaces anywhere
        self._down: bool | None = None  # None until a second glyph tells

    def add(self, glyph: _Glyph) -> None:
        self._glyphs.append(glyph)
        if glyph.is_inked:
            if self._last and glyph.box != self._last.box:
                self._down = _is_below(self._last, glyph)
            self._last = glyph

    def goes_on(self, glyph: _Glyph) -> bool:
        last = self._last
        if last is None or glyph.box == last.box:
            return True
        gap = max(glyph.left - last.right, last.left - glyph.right)
        if glyph.sideways or last.sideways:
            rise = max(glyph.bottom - last.top, last.bottom - glyph.top)
            return glyph.sideways == last.sideways and max(gap, rise) <= _COLUMN_GAP * glyph.size
        if self._down or (self._down is None and _is_below(last, glyph)):
            return _is_below(last, glyph)
        beside = min(last.top, glyph.top) > max(last.bottom, glyph.bottom)
        return beside and gap <= _COLUMN_GAP * (glyph.top - glyph.bottom)

    def line(self) -> list[Line]:
        """The line that they make, unless they are blank."""
        inked = [glyph for glyph in self._glyphs if glyph.is_inked]
        text = spelt(_text(self._glyphs))
        if not inked or not text.strip():
            return []
        return [
            Line(
                text=text,
                left=min(glyph.left for glyph in inked),
                bottom=min(glyph.bottom for glyph in inked),
                right=max(glyph.right for glyph in inked),
                top=max(glyph.top for glyph in inked),
                size=inked[len(inked) // 2].size,
                vertical=bool(self._down),
            )
        ]


def _is_below(above: _Glyph, glyph: _Glyph) -> bool:
    """Whether it stands under the other as letters of a vertical line do."""
    apart = abs(above.left + above.right - glyph.left - glyph.right) / 2
    gap = above.bottom - glyph.top
    return apart < 0.3 * above.size and glyph.bottom < above.bottom and gap < above.size and gap > -0.6 * above.size


def _text(glyphs: Iterable[_Glyph]) -> str:
    """Their text, with small raised digits as exponents: 10 to the 9th must not become 109.

    Letters that share a box are one glyph's.
    """
    parts: list[str] = []
    base: _Glyph | None = None  # on which an exponent would stand
    previous: tuple[_Glyph, bool] | None = None  # the last one with ink, and whether it is an exponent
    for _, group in groupby(glyphs, key=lambda glyph: glyph.box):
        same = list(group)
        text = "".join(glyph.text for glyph in same)
        inked = next((glyph for glyph in same if glyph.is_inked), None)
        raised = inked is not None and base is not None and text in _EXPONENTS and _is_raised(inked, base)
        if inked and previous and (raised or previous[1]) and inked.left - previous[0].right < 0.15 * inked.size:
            while parts and parts[-1].isspace():  # PDFium's own, for the leap from one line to another
                parts.pop()
        parts.append(text.translate(_RAISED) if raised else _unturned(text))
        previous = (inked, raised) if inked else previous
        base = inked if inked and not raised else base
    return "".join(parts)


def _unturned(text: str) -> str:
    """PDFium turns right-to-left letters around one by one, also those that one glyph stands for as a word."""
    return text[::-1] if len(text) > 1 and is_right_to_left(text) else text


def _is_raised(glyph: _Glyph, base: _Glyph) -> bool:
    smaller = glyph.size < 0.85 * base.size and glyph.top - glyph.bottom < 0.85 * (base.top - base.bottom)
    return smaller and glyph.bottom > base.bottom + 0.2 * base.size and glyph.left > base.left
