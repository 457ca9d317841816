"""Pages of lines to one document: its text, where each page starts, and sections from bookmarks or large print.

It knows nothing of PDF files.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from knowledge.document import Document, Section
from knowledge.layout import Line, Paragraph, paragraphs, without_running_lines, words_of
from knowledge.scripts import ends_sentence
from knowledge.untrusted import neutralise

_HEADING_LENGTH = 120
_LARGER = 1.15  # a heading's letters against those of the text
_LEVELS = 4
_TITLE_WITHIN = 300  # characters: a document's title stands at its head
_MOST_HEADINGS = 0.25  # of all letters: where more are printed large, size says nothing


class Bookmark(NamedTuple):
    """An entry of a file's outline: its depth from 1, and the page that it leads to, from 0, if to any."""

    level: int
    title: str
    page: int | None


class _Heading(NamedTuple):
    level: int
    title: str
    start: int
    body: int  # where the text under it begins


class _Placed(NamedTuple):
    page: int
    start: int
    text: str
    size: float

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def compose(pages: Sequence[Sequence[Line]], bookmarks: Sequence[Bookmark], step: Callable[[], None]) -> Document:
    """One document of pages whose lines are in reading order; a page without lines keeps its number.

    `step` is called before every page.
    """
    placed, starts, text, removed = _set(without_running_lines(pages), step)
    headings = _from_bookmarks(bookmarks, placed, starts) or _from_print(placed)
    return Document(
        text=text,
        pages=starts,
        sections=tuple(_sections(headings, text)),
        title=headings[0].title if headings and headings[0].start < _TITLE_WITHIN and not bookmarks else None,
        removed=removed,
    )


def _set(
    pages: Sequence[Sequence[Line]], step: Callable[[], None]
) -> tuple[list[_Placed], tuple[int, ...], str, tuple[str, ...]]:
    """Every paragraph at its place, where the pages start, the whole text, and what was removed from it."""
    words = words_of(pages)
    placed: list[_Placed] = []
    starts, parts, removed = [], [], dict[str, None]()
    length = 0
    for number, page in enumerate(pages):
        step()
        starts.append(length)
        for paragraph in paragraphs(page, words):
            neutral = neutralise(paragraph.text)
            removed.update(dict.fromkeys(neutral.removed))
            text = neutral.text.strip()
            if not text:
                continue
            border = _border(placed[-1], number, paragraph) if placed else ""
            length += len(border)
            if len(placed) == 0 or placed[-1].page != number:
                starts[-1] = length
            placed.append(_Placed(number, length, text, paragraph.size))
            parts += [border, text]
            length += len(text)
    return placed, tuple(starts), "".join(parts), tuple(removed)


def _border(previous: _Placed, page: int, paragraph: Paragraph) -> str:
    """A blank line between what belongs apart; a sentence that goes on over the page stays together."""
    apart = paragraph.apart if previous.page == page else ends_sentence(previous.text)
    return "\n\n" if apart or abs(previous.size - paragraph.size) > 0.12 * paragraph.size else "\n"


def _from_bookmarks(bookmarks: Sequence[Bookmark], placed: Sequence[_Placed], starts: Sequence[int]) -> list[_Heading]:
    """A heading for each bookmark, at the paragraph that says the same, or else at the start of its page."""
    headings: list[_Heading] = []
    by_page = {number: list(group) for number, group in groupby(placed, key=lambda paragraph: paragraph.page)}
    for level, title, page in bookmarks:
        if page is None or not 0 <= page < len(starts):
            continue
        reached = headings[-1].body if headings else 0
        heading = next((p for p in by_page.get(page, ()) if p.start >= reached and _says(p.text, title)), None)
        start, body = (heading.start, heading.end) if heading else (starts[page], starts[page])
        if start >= reached:
            headings.append(_Heading(level, title, start, body))
    return headings


def _says(text: str, title: str) -> bool:
    """Whether a paragraph is that heading, with or without its number."""
    printed, named = (re.sub(r"^[\W\d]+|\W+", "", part).casefold() for part in (text, title))
    return bool(named) and printed == named


def _from_print(placed: Sequence[_Placed]) -> list[_Heading]:
    """The short paragraphs in larger print than the text; the larger the print, the higher the level."""
    sizes = Counter[float]()
    for paragraph in placed:
        sizes[round(paragraph.size, 1)] += len(paragraph.text)
    usual = sizes.most_common(1)[0][0] if sizes else 0.0
    large = _whole([p for p in placed if p.size >= _LARGER * usual and _is_heading(p.text)])
    if sum(len(p.text) for p in large) > _MOST_HEADINGS * sum(len(p.text) for p in placed):
        return []
    levels = {size: min(n, _LEVELS) for n, size in enumerate(sorted({round(p.size) for p in large}, reverse=True), 1)}
    return [_Heading(levels[round(p.size)], " ".join(p.text.split()), p.start, p.end) for p in large]


def _whole(large: Sequence[_Placed]) -> list[_Placed]:
    """Headings of several lines as one."""
    whole: list[_Placed] = []
    for line in large:
        above = whole[-1] if whole else None
        if above and line.start == above.end + 1 and round(above.size) == round(line.size):
            whole[-1] = above._replace(text=f"{above.text}\n{line.text}")
        else:
            whole.append(line)
    return whole


def _is_heading(text: str) -> bool:
    return (
        len(text) <= _HEADING_LENGTH and sum(c.isalpha() for c in text) > 1 and not text.rstrip().endswith((".", "。"))
    )


def _sections(headings: Sequence[_Heading], text: str) -> Iterator[Section]:
    path: list[_Heading] = []
    first = headings[0].start if headings else len(text)
    if text[:first].strip():
        yield Section(path=(), start=0, end=first)
    edges = [*(heading.start for heading in headings[1:]), len(text)]
    for heading, end in zip(headings, edges, strict=False):
        path = [*(open_ for open_ in path if open_.level < heading.level), heading]
        if text[heading.body : end].strip():
            yield Section(path=tuple(h.title for h in path), start=heading.body, end=end)
