"""Which passages of a document hold something that speaks to a model, for a curator to read before a model does.

A prompt quotes a passage under its title and headings, so these are scanned with it. It decides nothing and stores
nothing.
"""

from collections.abc import Iterable
from functools import cache

from pydantic import BaseModel, ConfigDict

from knowledge.passage import Passage
from knowledge.scanner import Suspicion, scan


class MarkedPassage(BaseModel):
    """A passage with at least one mark: spans over its own text, and over `heading`, the lines that it is quoted with.

    A mark that begins before the passage or ends after it, in the document, is cut to what the passage holds of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    passage: Passage
    heading: str
    in_text: tuple[Suspicion, ...]
    in_heading: tuple[Suspicion, ...]

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of the rules that mark it, each once, in alphabetical order."""
        return tuple(sorted({suspicion.rule for suspicion in (*self.in_text, *self.in_heading)}))


def marked(text: str, passages: Iterable[Passage]) -> tuple[MarkedPassage, ...]:
    """The passages of a document with this text that hold marks, in their order; sentences may span two passages."""
    suspicions, scanned = scan(text), cache(scan)
    found = []
    for passage in passages:
        within = (_within(suspicion, passage) for suspicion in suspicions)
        heading = _heading(passage)
        one = MarkedPassage(
            passage=passage,
            heading=heading,
            in_text=tuple(suspicion for suspicion in within if suspicion),
            in_heading=scanned(heading),
        )
        if one.in_text or one.in_heading:
            found.append(one)
    return tuple(found)


def _heading(passage: Passage) -> str:
    return "\n".join(filter(None, (passage.document_title, *passage.section, passage.publisher, passage.edition)))


def _within(suspicion: Suspicion, passage: Passage) -> Suspicion | None:
    start, end = max(suspicion.start, passage.start), min(suspicion.end, passage.end)
    if start >= end:
        return None
    return suspicion.model_copy(update={"start": start - passage.start, "end": end - passage.start})
