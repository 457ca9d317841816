"""PDF files to documents.

Reads through PDFium, and a page that has no usable text there once more through pdfminer. It runs no script, opens no
attachment and knows nothing of packs.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pypdfium2
import pypdfium2.raw as pdfium

from knowledge.composition import Bookmark, compose
from knowledge.document import Document
from knowledge.errors import DocumentUnsupported
from knowledge.glyphs import UNKNOWN, printed
from knowledge.layout import Line, in_reading_order
from knowledge.scripts import has_right_to_left
from knowledge.second_reading import SecondReading
from knowledge.untrusted import neutralise

_MAX_PAGES = 5000
_MAX_CHARACTERS = 16_000_000
_MAX_BOOKMARKS = 5000
_DAMAGED = "it is damaged, so fetch it again or print it to a new PDF"
_NO_TITLE = re.compile(r"(?i)microsoft \w+ - |untitled|document\d*$|.*\.(?:docx?|indd|pdf|tex|dvi|qxd|odt|rtf|txt)$")
_FEW = 10
_TITLE = 300  # characters
_BETTER = 0.02  # of the letters unknown: another reading may know more
_WORST = 0.3


def read_pdf(raw: bytes, file: str, step: Callable[[], None]) -> Document:
    """The document in a PDF; `step` is called at least once before every page.

    Raises DocumentUnsupported where it is protected, damaged, too long, or made of pictures.
    """
    with _opened(raw, file) as pdf:
        reading = _Reading(pdf, raw)
        for number in range(len(pdf)):
            step()
            reading.read(number)
            if reading.characters > _MAX_CHARACTERS:
                raise DocumentUnsupported(file, f"it holds more than {_MAX_CHARACTERS} characters, so split it")
        step()
        if not any(reading.pages):
            raise DocumentUnsupported(file, reading.why_empty())
        document = compose(reading.pages, _bookmarks(pdf), step)
        return document.model_copy(
            update={"title": _title(pdf) or document.title, "notices": (*reading.notices(), *_attached(pdf))}
        )


@contextmanager
def _opened(raw: bytes, file: str) -> Iterator[pypdfium2.PdfDocument]:
    if b"%PDF-" not in raw[:1024]:
        raise DocumentUnsupported(file, "it is not a PDF, so save it anew from the program that made it")
    try:
        pdf = pypdfium2.PdfDocument(raw)
    except pypdfium2.PdfiumError as error:
        protected = error.err_code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY)
        reason = "it is protected with a password, so save a copy without one" if protected else _DAMAGED
        raise DocumentUnsupported(file, reason) from error
    try:
        if len(pdf) == 0:
            raise DocumentUnsupported(file, _DAMAGED)
        if len(pdf) > _MAX_PAGES:
            raise DocumentUnsupported(file, f"it has {len(pdf)} pages, more than {_MAX_PAGES}, so split it")
        yield pdf
    finally:
        pdf.close()


class _Reading:
    """The lines of the pages read so far, and which pages gave none, counted from 1."""

    def __init__(self, pdf: pypdfium2.PdfDocument, raw: bytes) -> None:
        self._pdf = pdf
        self._second = SecondReading(raw)
        self.pages: list[list[Line]] = []
        self.characters = 0
        self._pictures: list[int] = []
        self._unreadable: list[int] = []
        self._damaged: list[int] = []
        self._hidden: list[int] = []

    def read(self, number: int) -> None:
        """Read the page with that number, counted from 0."""
        try:
            page = self._pdf[number]
        except pypdfium2.PdfiumError:
            self._damaged.append(number + 1)
            self.pages.append([])
            return
        lines, hidden = printed(page, scanned=_has_picture(page))
        if hidden:
            self._hidden.append(number + 1)
        # PDFium puts the words of right-to-left lines in order, but not always their letters.
        backwards = any(has_right_to_left(line.text) for line in lines)
        # The second reading sees hidden text too.
        if not hidden and (backwards or _unknown(lines) > _BETTER):
            again = self._second.lines_of(number)
            enough = max(_unknown(lines), _BETTER) if backwards else _unknown(lines)
            lines = again if _unknown(again) <= enough else lines
        if _unknown(lines) > _WORST:
            if lines:
                self._unreadable.append(number + 1)
            elif _has_picture(page):
                self._pictures.append(number + 1)
            lines = []
        page.close()
        self.characters += sum(len(line.text) for line in lines)
        self.pages.append(in_reading_order(lines))

    def why_empty(self) -> str:
        """Why none of the pages has text, and what to do."""
        if self._unreadable:
            return "its fonts don't say which letters they show, so recognise its text (OCR) and add the PDF of that"
        if self._pictures:
            return "its pages are images without text, so recognise their text (OCR) and add the PDF of that"
        return _DAMAGED if self._damaged else "it holds no text, so look whether it is the right file"

    def notices(self) -> Iterator[str]:
        """One for each way in which pages are missing."""
        found = (
            (self._pictures, "images without text; recognise their text (OCR) to have them searched"),
            (self._unreadable, "in fonts that don't say which letters they show; recognise their text (OCR)"),
            (self._damaged, "damaged; fetch the file again"),
            (self._hidden, "not shown as they are stored; text without ink or of no size was left out"),
        )
        for numbers, what in found:
            if numbers:
                some = ", ".join(map(str, numbers[:_FEW])) + (" and others" if len(numbers) > _FEW else "")
                yield f"{len(numbers)} of {len(self.pages)} pages ({some}) are {what}"


def _unknown(lines: list[Line]) -> float:
    """The share of the letters of which the file doesn't say which ones they are; 1 where there are none at all."""
    text = "".join("".join(line.text.split()) for line in lines)
    return (
        sum(c == UNKNOWN or "\ue000" <= c <= "\uf8ff" or not c.isprintable() for c in text) / len(text) if text else 1.0
    )


def _has_picture(page: pypdfium2.PdfPage) -> bool:
    return any(True for _ in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=3))


def _bookmarks(pdf: pypdfium2.PdfDocument) -> list[Bookmark]:
    """The outline; entries that lead nowhere give their place to the next one that leads somewhere."""
    found: list[Bookmark] = []
    for entry in pdf.get_toc(max_depth=8):
        destination = entry.get_dest()
        page = destination.get_index() if destination else None
        title = _one_line(entry.get_title())
        if title:
            found.append(Bookmark(level=entry.level + 1, title=title, page=page))
        if len(found) == _MAX_BOOKMARKS:
            break
    return found


def _title(pdf: pypdfium2.PdfDocument) -> str | None:
    """The title in the file's properties, unless a program made it up."""
    title = _one_line(pdf.get_metadata_value("Title"))
    return title if len(title) > 3 and not _NO_TITLE.match(title) else None


def _one_line(text: str) -> str:
    return " ".join(neutralise(text).text.split())[:_TITLE]


def _attached(pdf: pypdfium2.PdfDocument) -> tuple[str, ...]:
    count = pdf.count_attachments()
    return (f"the files attached to it ({count}) were not read; save them and add what is needed",) if count else ()
