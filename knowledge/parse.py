"""Source files to text with sections: Markdown and plain text, UTF-8.

Spans are offsets in characters over `Document.text`, which is what the store keeps and what citations open.
It knows nothing of packs, chunks or passages.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import accumulate, pairwise
from pathlib import PurePath

from markdown_it import MarkdownIt
from markdown_it.token import Token
from pydantic import BaseModel, ConfigDict

from knowledge.errors import DocumentUnsupported
from knowledge.untrusted import Neutralised, neutralise

MAX_BYTES = 32 * 1024 * 1024
_MARKDOWN = frozenset({".md", ".markdown"})
_PLAIN = frozenset({".txt", ".text"})
_ANNOUNCED = frozenset({".pdf", ".docx", ".html", ".htm"})


class Section(BaseModel):
    """The text under one heading, up to the next; `path` holds the headings from the outermost inwards."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: tuple[str, ...]
    start: int
    end: int


class Document(BaseModel):
    """A document's text and the sections in it that hold any, in order and without overlap."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sections: tuple[Section, ...]
    text: str


def check_kind(file: str) -> None:
    """Raise DocumentUnsupported, in one sentence, unless the file's suffix is one that `parse` reads."""
    suffix = PurePath(file).suffix.lower()
    if suffix in _ANNOUNCED:
        raise DocumentUnsupported(file, "PDF, Word and HTML files can't be read yet, so save it as Markdown or text")
    if suffix not in _MARKDOWN | _PLAIN:
        raise DocumentUnsupported(file, "it is neither Markdown (.md) nor plain text (.txt)")


def read_text(raw: bytes, file: str) -> Neutralised:
    """The text as it is stored: decoded, line ends as LF, NFC, and neutralised."""
    if len(raw) > MAX_BYTES:
        raise DocumentUnsupported(file, f"it is larger than {MAX_BYTES // 1024**2} MB, so split it")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        reason = f"it is not UTF-8 text (byte {error.start}), so save it as UTF-8"
        raise DocumentUnsupported(file, reason) from error
    lines = re.sub(r"\r\n?|[\v\f\x85\u2028\u2029]", "\n", text)
    return neutralise(unicodedata.normalize("NFC", lines))


def parse(text: str, file: str) -> Document:
    """Find the sections of stored text; the file's name says whether it is Markdown or plain text."""
    markdown = PurePath(file).suffix.lower() in _MARKDOWN
    sections = _markdown_sections(text) if markdown else (Section(path=(), start=0, end=len(text)),)
    return Document(sections=tuple(s for s in sections if text[s.start : s.end].strip()), text=text)


def first_heading(text: str, file: str) -> str | None:
    """The document's own title, where it has one."""
    if PurePath(file).suffix.lower() not in _MARKDOWN:
        return None
    return next((title for _, _, _, title in _headings(text) if title), None)


def _markdown_sections(text: str) -> Iterator[Section]:
    offsets = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
    open_headings: list[tuple[int, str]] = []
    body = 0
    for level, first_line, end_line, title in _headings(text):
        yield Section(path=tuple(t for _, t in open_headings), start=body, end=offsets[first_line])
        open_headings = [*(h for h in open_headings if h[0] < level), (level, title)]
        body = min(offsets[end_line], len(text))
    yield Section(path=tuple(t for _, t in open_headings), start=body, end=len(text))


def _headings(text: str) -> Iterator[tuple[int, int, int, str]]:
    """Yield (level, first line, line after it, title) of every heading that isn't inside a quotation or a list."""
    tokens = MarkdownIt("commonmark").parse(text)
    for token, inline in pairwise(tokens):
        if token.type == "heading_open" and token.level == 0 and token.map:
            yield int(token.tag[1:]), token.map[0], token.map[1], _plain(inline)


def _plain(inline: Token) -> str:
    return " ".join("".join(child.content or " " for child in inline.children or () if not child.nesting).split())
