"""What differs between two versions of the guidelines: packs and passages that came, went and changed.

A passage is the same where its text is, whatever its place: a new heading or a new page is no new guidance.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import zip_longest

from pydantic import BaseModel, ConfigDict

from knowledge.pack import Manifest
from knowledge.passage import Passage
from knowledge.store import KnowledgeStore


class PassageChange(BaseModel):
    """A passage that came (`before` None), went (`after` None), or took another's place under the same headings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    before: Passage | None
    after: Passage | None


class PackChange(BaseModel):
    """A pack that came (`before` None), went (`after` None), or says something else, and its passages that did."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    before: Manifest | None
    after: Manifest | None
    passages: tuple[PassageChange, ...]

    @property
    def added(self) -> int:
        """How many passages came."""
        return sum(change.before is None for change in self.passages)

    @property
    def removed(self) -> int:
        """How many passages went."""
        return sum(change.after is None for change in self.passages)

    @property
    def changed(self) -> int:
        """How many passages took another's place."""
        return len(self.passages) - self.added - self.removed


def compare(before: KnowledgeStore, after: KnowledgeStore) -> tuple[PackChange, ...]:
    """Every pack that differs between what two stores read, by name."""
    former, present = ({pack.manifest.name: pack.manifest for pack in store.list_packs()} for store in (before, after))
    changes = (
        PackChange(
            name=name,
            before=former.get(name),
            after=present.get(name),
            passages=passage_changes(
                before.passages(name) if name in former else (), after.passages(name) if name in present else ()
            ),
        )
        for name in sorted(former.keys() | present.keys())
        if former.get(name) != present.get(name)
    )
    return tuple(changes)


def passage_changes(before: Iterable[Passage], after: Iterable[Passage]) -> tuple[PassageChange, ...]:
    """Passages whose text only one side has; those under the same headings are paired in their order."""
    former, present = list(before), list(after)
    places: dict[tuple[str, ...], tuple[list[Passage], list[Passage]]] = defaultdict(lambda: ([], []))
    for side, (own, other) in enumerate(((former, present), (present, former))):
        for passage in _only_here(own, other):
            places[(passage.document_title, *passage.section)][side].append(passage)
    return tuple(
        PassageChange(before=gone, after=come) for sides in places.values() for gone, come in zip_longest(*sides)
    )


def _only_here(own: list[Passage], other: list[Passage]) -> list[Passage]:
    common = Counter(passage.sha256 for passage in other)
    here = []
    for passage in own:
        if common[passage.sha256]:
            common[passage.sha256] -= 1
        else:
            here.append(passage)
    return here
