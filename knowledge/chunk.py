"""Sections to chunks that are small enough to embed and whole enough to cite.

A chunk is a span of the document, never a rewriting of it, and never crosses a section. Splits fall, in this order,
between paragraphs, list items, lines, sentences, clauses and words. It knows no language: sentence ends are
recognised by their marks in every script at once, and Thai, which has none, falls to its spaces. Where a script writes
no spaces between words either, `words` is asked where they part.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from pydantic import BaseModel, ConfigDict

from knowledge.document import Document
from knowledge.words import last_border

TARGET = 700  # characters; about 200 tokens of English and 500 of Chinese, within the 512 of small embedders

_CLOSING = "\"'”’»」』）)\\]"
_BOUNDARIES = tuple(
    map(
        re.compile,
        (
            r"\n[ \t]*\n\s*",
            r"\n(?=[ \t]*(?:[-*+•・]|\d{1,3}[.)．、])\s)",
            r"\n",
            # Full stops of Chinese and Japanese, Arabic, Devanagari, Burmese, Khmer and Ethiopic need no space after.
            rf"[。！？｡؟۔।॥။។៕።፧][{_CLOSING}]*\s*|[.!?…][{_CLOSING}]*\s+",
            r"[、，；،؛፣၊]\s*|[,;:]\s+",
            r"\s+",
        ),
    )
)
_Span = tuple[int, int]


class Chunk(BaseModel):
    """`document.text[start:end] == text`, exactly."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    section: tuple[str, ...]
    page: int | None  # on which it starts, counted from 1
    start: int
    end: int
    text: str


def chunk(document: Document, target: int = TARGET) -> tuple[Chunk, ...]:
    """Cut every section into chunks of at most `target` characters, in the order of the document."""
    return tuple(_chunks(document, target))


def _chunks(document: Document, target: int) -> Iterator[Chunk]:
    for section in document.sections:
        for span in _split(document.text, (section.start, section.end), target, 0):
            start, end = _trimmed(document.text, span)
            text = document.text[start:end]
            if any(c.isalnum() for c in text):
                page = document.page_of(start)
                yield Chunk(section=section.path, page=page, start=start, end=end, text=text)


def _split(text: str, span: _Span, target: int, level: int) -> list[_Span]:
    start, end = span
    if end - start <= target:
        return [span]
    if level == len(_BOUNDARIES):
        return _hard_split(text, span, target)
    edges = [start, *(m.end() for m in _BOUNDARIES[level].finditer(text, start, end)), end]
    pieces = [p for a, b in pairwise(edges) if a < b for p in _split(text, (a, b), target, level + 1)]
    return _merged(pieces, target)


def _merged(pieces: list[_Span], target: int) -> list[_Span]:
    merged = pieces[:1]
    for start, end in pieces[1:]:
        if end - merged[-1][0] <= target:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


def _hard_split(text: str, span: _Span, target: int) -> list[_Span]:
    start, end = span
    pieces = []
    while end - start > target:
        cut = last_border(text, start + target // 2, start + target) or start + target
        while cut > start + target // 2 and not _may_cut(text, cut):
            cut -= 1
        pieces.append((start, cut))
        start = cut
    return [*pieces, (start, end)]


def _may_cut(text: str, position: int) -> bool:
    """Whether no letter is torn from its marks; combining class 9 are the viramas that tie the next letter on."""
    following, preceding = text[position], text[position - 1]
    joined = unicodedata.category(following).startswith("M") or following in "\u200c\u200d"
    # Thai and Lao vowels that are written before their consonant.
    return not joined and unicodedata.combining(preceding) != 9 and preceding not in "เแโใไເແໂໃໄ\u200d"


def _trimmed(text: str, span: _Span) -> _Span:
    start, end = span
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end
