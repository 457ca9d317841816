"""Another reading of a PDF's pages, by pdfminer, for those in which PDFium finds nothing usable.

Opened only when it is needed. It knows nothing of columns or paragraphs.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from itertools import islice, pairwise

from pdfminer.converter import PDFPageAggregator
from pdfminer.layout import LAParams, LTChar, LTContainer, LTText, LTTextLine, LTTextLineVertical
from pdfminer.pdfdocument import PDFDocument
from pdfminer.pdfinterp import PDFPageInterpreter, PDFResourceManager
from pdfminer.pdfpage import PDFPage
from pdfminer.pdfparser import PDFParser

from knowledge.glyphs import UNKNOWN
from knowledge.layout import Line
from knowledge.scripts import has_right_to_left, is_right_to_left, logical, spelt

_MAX_PAGES = 5000
_UNNAMED = re.compile(r"\(cid:\d+\)")


class SecondReading:
    """The pages of one file."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._pages: list[PDFPage] | None = None

    def lines_of(self, number: int) -> list[Line]:
        """The lines of the page with that number, counted from 0; none where it can't be read this way either."""
        try:
            return _from_the_top(list(self._lines(number)))
        except MemoryError:
            raise
        except (
            Exception
        ):  # It raises all sorts of errors over files that PDFium still opens; then there is no second reading.
            return []

    def _lines(self, number: int) -> Iterator[Line]:
        if self._pages is None:
            document = PDFDocument(PDFParser(BytesIO(self._raw)))
            self._pages = list(islice(PDFPage.create_pages(document), _MAX_PAGES))
        resources = PDFResourceManager()
        device = PDFPageAggregator(resources, laparams=LAParams(detect_vertical=True))
        PDFPageInterpreter(resources, device).process_page(self._pages[number])
        page = device.get_result()
        for line in _text_lines(page):
            text = re.sub(r"\s{2,}", " ", spelt(_read(line)))
            x, y = (line.x0 + line.x1) / 2, (line.y0 + line.y1) / 2
            if text.strip() and page.x0 <= x <= page.x1 and page.y0 <= y <= page.y1:
                vertical = isinstance(line, LTTextLineVertical)
                size = line.width if vertical else line.height
                yield Line(text, line.x0, line.y0, line.x1, line.y1, size, vertical)


def _from_the_top(lines: list[Line]) -> list[Line]:
    """Rows from the top to the bottom: pdfminer's own order of text boxes puts headings after what they stand over."""
    if sum(line.vertical for line in lines) > len(lines) / 2:
        return lines
    backwards = is_right_to_left("".join(line.text for line in lines))
    return sorted(lines, key=lambda line: (-round(line.bottom / 2), -line.right if backwards else line.left))


def _read(line: LTTextLine) -> str:
    """The line as it is read; letters whose glyph the file doesn't name are unknown."""
    glyphs = [(item, _UNNAMED.sub(UNKNOWN, item.get_text()).strip("\n")) for item in line if isinstance(item, LTText)]
    texts = [text for n, (_, text) in enumerate(glyphs) if text != " " or n == 0 or glyphs[n - 1][1] != " "]
    return logical(texts) if _stands_as_seen(glyphs) else "".join(texts)


def _stands_as_seen(glyphs: Sequence[tuple[LTText, str]]) -> bool:
    """Whether it is a right-to-left line whose glyphs the file draws from left to right.

    One glyph for a word and its neighbours is only found in files that name them in the order of reading.
    """
    if not is_right_to_left("".join(text for _, text in glyphs)):
        return False
    if any(has_right_to_left(text) and any(c.isascii() and c.isalpha() for c in text) for _, text in glyphs):
        return False
    places = [item.x0 for item, text in glyphs if isinstance(item, LTChar) and has_right_to_left(text)]
    return 2 * sum(a < b for a, b in pairwise(places)) > len(places) - 1


def _text_lines(item: object) -> Iterator[LTTextLine]:
    if isinstance(item, LTTextLine):
        yield item
    elif isinstance(item, LTContainer):
        children: Iterable[object] = item
        for child in children:
            yield from _text_lines(child)
