"""A document as it was read: its text for ever, the sections and pages in it, and what was noticed on the way.

Spans are offsets in characters over `Document.text`, which the store keeps and citations open. It knows no file format.
"""

from bisect import bisect_right
from itertools import pairwise
from typing import Self

from pydantic import BaseModel, ConfigDict, NonNegativeInt, model_validator


class Section(BaseModel):
    """The text under one heading, up to the next; `path` holds the headings from the outermost inwards."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: tuple[str, ...]
    start: NonNegativeInt
    end: NonNegativeInt


class Document(BaseModel):
    """A document's text and the sections in it that hold any, in order and without overlap.

    `pages` holds the offset at which each page starts, none where the format has no pages; `title` is the document's
    own; `removed` lists what was taken out as dangerous and `notices` what could not be read, for whoever adds it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sections: tuple[Section, ...]
    text: str
    pages: tuple[NonNegativeInt, ...] = ()
    title: str | None = None
    removed: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        edges = [edge for section in self.sections for edge in (section.start, section.end)]
        for offsets in (edges, self.pages):
            if any(a > b for a, b in pairwise(offsets)) or (offsets and offsets[-1] > len(self.text)):
                raise ValueError("sections and pages must lie in the text, one after the other")
        return self

    def page_of(self, position: int) -> int | None:
        """The page, counted from 1, on which the character at `position` stands; None where there are no pages."""
        return bisect_right(self.pages, position) or None
