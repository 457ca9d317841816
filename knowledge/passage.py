"""A passage of a guideline, with all that is needed to cite it and to prove it later.

Knows neither how passages are stored nor how they are found.
"""

from datetime import date
from hashlib import sha256

from pydantic import BaseModel, ConfigDict


class Passage(BaseModel):
    """A span of one document: `document_text(document)[start:end] == text`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    document: str  # SHA-256 of the source file's bytes, hexadecimal
    document_title: str
    pack: str
    publisher: str
    jurisdiction: str  # ISO 3166-1 alpha-2, or INT
    language: str  # BCP 47
    edition: str
    effective: date | None
    expires: date | None
    section: tuple[str, ...]  # headings from the outermost inwards, without the document's own title
    page: int | None  # on which it starts, counted from 1
    start: int
    end: int
    text: str
    sha256: str  # of the text, with the algorithm as prefix
    demonstration: bool

    @property
    def in_context(self) -> str:
        """The text under its title and headings: what is embedded, since a dose alone doesn't say for what."""
        return f"{' / '.join((self.document_title, *self.section))}\n{self.text}"


class ScoredPassage(BaseModel):
    """A passage that a search found, and why it stands where it stands.

    `score` is what search orders by; `similarity` the highest cosine of any query to the passage under its
    headings and `lift` the most that one exceeds that query's mean cosine to all passages, both None where a vector
    has no direction; the ranks count from 1 and are None where that way of searching
    didn't find it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    passage: Passage
    score: float
    similarity: float | None
    lift: float | None
    rank_dense: int | None
    rank_text: int | None
    relevant: bool
    expired: bool


def passage_id(document: str, start: int, end: int) -> str:
    """The same span of the same document has the same id in every store."""
    return "psg_" + sha256(f"{document}:{start}:{end}".encode()).hexdigest()[:16]


def text_hash(text: str) -> str:
    """`sha256:` and the digest of the UTF-8 text."""
    return "sha256:" + sha256(text.encode()).hexdigest()
