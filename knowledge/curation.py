"""Which passages are held back from prompts: what is marked and not approved, and what a curator refused.

A decision is about a text and not about a place: it holds wherever the same text is quoted under the same marked
heading, and for no other text. Decisions are only ever added; the last one about a text counts. It knows neither
tables nor models.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from knowledge.errors import KnowledgeBaseDamaged
from knowledge.mark_list import Mark, Subject
from knowledge.pack import Line, RequiredLine
from knowledge.passage import Passage

Verdict = Literal["approved", "refused"]
Place = tuple[str, str]  # pack, id of the passage


class Decision(BaseModel):
    """What a curator decided about a text, where it was read and which rules had marked it there.

    `text` and `heading` are hashes, see `mark_list.Subject`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    verdict: Verdict
    text: str
    heading: str
    by: RequiredLine
    note: Line
    time: AwareDatetime
    pack: str
    passage: str
    rules: tuple[str, ...]

    @property
    def subject(self) -> Subject:
        """What it is about."""
        return self.text, self.heading


class Decisions:
    """All decisions, oldest first."""

    def __init__(self, every: Iterable[Decision] = ()) -> None:
        self.all = tuple(every)
        self._last: dict[Subject, Decision] = {decision.subject: decision for decision in self.all}

    @classmethod
    def read(cls, content: bytes) -> "Decisions":
        """From lines of JSON; raises KnowledgeBaseDamaged."""
        try:
            return cls(Decision.model_validate_json(line) for line in content.splitlines())
        except ValidationError as error:
            raise KnowledgeBaseDamaged("the list of a curator's decisions") from error

    def written(self) -> bytes:
        """A line of JSON each: what is added later leaves the lines before it as they are."""
        return b"".join(decision.model_dump_json().encode() + b"\n" for decision in self.all)

    def last(self, subject: Subject) -> Decision | None:
        """The decision that counts."""
        return self._last.get(subject)

    def withholds(self, subject: Subject, *, marked: bool) -> bool:
        """Whether a text is held back: refused, or marked and not approved."""
        for asked in (subject, (subject[0], "")):
            if decision := self._last.get(asked):
                return decision.verdict == "refused" or (marked and asked != subject)
        return marked


class Curation:
    """The marks of one version, and what was decided until then."""

    def __init__(self, marks: Mapping[Place, Mark], decisions: Decisions) -> None:
        self.marks, self.decisions = marks, decisions

    def withholds(self, passage: Passage) -> bool:
        """Whether a passage stays out of prompts and citations."""
        mark = self.marks.get((passage.pack, passage.id))
        subject = mark.subject if mark else (passage.sha256, "")
        return self.decisions.withholds(subject, marked=mark is not None)

    def withheld_of(self, pack: str) -> tuple[str, ...]:
        """Ids of the marked passages of a pack that are held back, in their order."""
        return tuple(id for (name, id), mark in self.marks.items() if name == pack and self._holds(mark))

    @cached_property
    def hidden(self) -> frozenset[str]:
        """Ids that are held back in every pack that has them, since their own text is marked."""
        shown = {id for (_, id), mark in self.marks.items() if not self._holds(mark)}
        return frozenset(id for (_, id), mark in self.marks.items() if mark.in_text and id not in shown)

    def _holds(self, mark: Mark) -> bool:
        return self.decisions.withholds(mark.subject, marked=True)
