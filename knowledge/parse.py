"""Text to sections: Markdown and plain text, UTF-8; HTML and Word arrive here as Markdown.

It knows nothing of packs, chunks or passages.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import accumulate, pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

from knowledge.document import Document, Section
from knowledge.errors import DocumentUnsupported
from knowledge.kinds import PLAIN, suffix_of
from knowledge.untrusted import Neutralised, neutralise

MAX_TEXT_BYTES = 32 * 1024 * 1024
_Heading = tuple[int, int, int, str]  # level, first line, line after it, title


def read_text(raw: bytes, file: str) -> Neutralised:
    """The text as it is stored: decoded from UTF-8, then as `neutral_text` gives it. Raises DocumentUnsupported."""
    if len(raw) > MAX_TEXT_BYTES:
        raise DocumentUnsupported(file, f"it is larger than {MAX_TEXT_BYTES // 1024**2} MB, so split it")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        reason = f"it is not UTF-8 text (byte {error.start}), so save it as UTF-8"
        raise DocumentUnsupported(file, reason) from error
    return neutral_text(text)


def neutral_text(text: str) -> Neutralised:
    """Text as it is stored: line ends as LF, NFC, and neutralised."""
    lines = re.sub(r"\r\n?|[\v\f\x85\u2028\u2029]", "\n", text)
    return neutralise(unicodedata.normalize("NFC", lines))


def parse(text: str, file: str) -> Document:
    """Find title and sections of stored text; the file's name says whether it is plain text, else it is Markdown."""
    if suffix_of(file) in PLAIN:
        return Document(sections=(Section(path=(), start=0, end=len(text)),) if text.strip() else (), text=text)
    headings = tuple(_headings(text))
    sections = _sections(text, headings)
    return Document(
        sections=tuple(s for s in sections if text[s.start : s.end].strip()),
        text=text,
        title=next((title for _, _, _, title in headings if title), None),
    )


def _sections(text: str, headings: Iterable[_Heading]) -> Iterator[Section]:
    offsets = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
    open_headings: list[tuple[int, str]] = []
    body = 0
    for level, first_line, end_line, title in headings:
        yield Section(path=tuple(t for _, t in open_headings), start=body, end=offsets[first_line])
        open_headings = [*(h for h in open_headings if h[0] < level), (level, title)]
        body = min(offsets[end_line], len(text))
    yield Section(path=tuple(t for _, t in open_headings), start=body, end=len(text))


def _headings(text: str) -> Iterator[_Heading]:
    """Every heading that isn't inside a quotation or a list."""
    tokens = MarkdownIt("commonmark").parse(text)
    for token, inline in pairwise(tokens):
        if token.type == "heading_open" and token.level == 0 and token.map:
            yield int(token.tag[1:]), token.map[0], token.map[1], _plain(inline)


def _plain(inline: Token) -> str:
    return " ".join("".join(child.content or " " for child in inline.children or () if not child.nesting).split())
