"""Another reading of a PDF's pages, by pdfminer, for those in which PDFium finds nothing usable.

Opened only when it is needed. It knows nothing of columns or paragraphs.
"""

import re
from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import islice

from pdfminer.converter import PDFPageAggregator
from pdfminer.layout import LAParams, LTContainer, LTText, LTTextLine, LTTextLineVertical
from pdfminer.pdfdocument import PDFDocument
from pdfminer.pdfinterp import PDFPageInterpreter, PDFResourceManager
from pdfminer.pdfpage import PDFPage
from pdfminer.pdfparser import PDFParser

from knowledge.glyphs import UNKNOWN
from knowledge.layout import Line
from knowledge.scripts import logical, spelt

_MAX_PAGES = 5000
_LIGATURE = 3  # letters
_UNNAMED = re.compile(r"\(cid:\d+\)")


class SecondReading:
    """The pages of one file."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._pages: list[PDFPage] | None = None

    def lines_of(self, number: int) -> list[Line]:
        """The lines of the page with that number, counted from 0; none where it can't be read this way either."""
        try:
            return list(self._lines(number))
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
            text = spelt(_read(line))
            x, y = (line.x0 + line.x1) / 2, (line.y0 + line.y1) / 2
            if text.strip() and page.x0 <= x <= page.x1 and page.y0 <= y <= page.y1:
                vertical = isinstance(line, LTTextLineVertical)
                size = line.width if vertical else line.height
                yield Line(text, line.x0, line.y0, line.x1, line.y1, size, vertical)


def _read(line: LTTextLine) -> str:
    """The line as it is read; letters whose glyph the file doesn't name are unknown."""
    texts = [item.get_text() for item in line if isinstance(item, LTText)]
    text = _UNNAMED.sub(UNKNOWN, "".join(texts)).strip("\n")
    # A glyph for a whole word has the word's letters in the order of reading, and so has the file that uses such.
    return text if any(len(part) > _LIGATURE for part in texts) else logical(text)


def _text_lines(item: object) -> Iterator[LTTextLine]:
    if isinstance(item, LTTextLine):
        yield item
    elif isinstance(item, LTContainer):
        children: Iterable[object] = item
        for child in children:
            yield from _text_lines(child)
