"""The curation of each version of a knowledge base, read from what is kept, or made where it isn't there yet.

Marks are derived: stores from before there were any, and any store after the rules have changed, are scanned when
somebody first asks. It ranks nothing and decides nothing.
"""

from collections.abc import Mapping
from contextlib import suppress

from pydantic import ValidationError

from knowledge import mark_list
from knowledge.curation import Curation, Decisions, Place
from knowledge.errors import DocumentAltered, StorageError, StoreUnwritable, TurnLost
from knowledge.folder import StoreFolder
from knowledge.kept import Kept
from knowledge.mark_list import Mark, scanned
from knowledge.table import PassageTable
from knowledge.versions import Holding


class Curations:
    """Makes the curation of a version once. Any thread may ask."""

    def __init__(self, parts: StoreFolder) -> None:
        self._parts = parts
        self._made: dict[str, Curation] = {}

    def of(self, table: PassageTable) -> Curation:
        """That of the version; raises KnowledgeError where what is needed for it can't be read."""
        if table.tag not in self._made:
            self._made[table.tag] = self._make(table)
        return self._made[table.tag]

    def _make(self, table: PassageTable) -> Curation:
        record = self._parts.versions.read(table.tag)
        if record is None:
            return Curation(self._unrecorded(table), Decisions())
        marks = {(name, mark.passage): mark for name, holding in record.packs.items() for mark in self._marks(holding)}
        return Curation(marks, read_decisions(self._parts, record.curation))

    def _unrecorded(self, table: PassageTable) -> Mapping[Place, Mark]:
        """The marks of a version from before there were records."""
        text = self._parts.kept.document_text
        return {(name, mark.passage): mark for name in table.manifests() for mark in scanned(table.pack(name), text)}

    def _marks(self, holding: Holding) -> tuple[Mark, ...]:
        kept = self._parts.kept
        with suppress(DocumentAltered, ValidationError):
            if (content := kept.note(holding.passages, mark_list.place(holding.manifest))) is not None:
                return mark_list.read(content)
        marks = scanned(kept.passages(holding), kept.document_text)
        # A store that nobody may write is scanned anew by every process.
        with suppress(StoreUnwritable, TurnLost, StorageError), self._parts.writing():
            note_marks(kept, holding, marks)
        return marks


def note_marks(kept: Kept, holding: Holding, marks: tuple[Mark, ...]) -> None:
    """Keep the marks of a pack beside its list of passages. One writer at a time."""
    kept.keep_note(holding.passages, mark_list.place(holding.manifest), mark_list.written(marks))


def read_decisions(parts: StoreFolder, digest: str | None) -> Decisions:
    """Those that a version's record names; raises NotInKnowledgeBase, DocumentAltered or KnowledgeBaseDamaged."""
    return Decisions.read(parts.kept.read(digest)) if digest else Decisions()
