"""The proof that a knowledge base is what was put into it: every hash, every span, every version, every index.

It changes nothing and repairs nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from knowledge import mark_list
from knowledge.curations import read_decisions
from knowledge.errors import KnowledgeBaseMissing, KnowledgeError, StorageError
from knowledge.folder import StoreFolder
from knowledge.ingest import Progress
from knowledge.mark_list import scanned
from knowledge.passage import Passage, passage_id, text_hash
from knowledge.place import Place
from knowledge.table import PassageTable, only
from knowledge.versions import Holding

_PROBE = 100  # characters of a passage by which the index must find it


class Fault(BaseModel):
    """One thing that isn't as it should be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: str
    problem: str


class CheckSummary(BaseModel):
    """What was looked at, and every fault that was found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: int
    versions: int
    passages: int
    faults: tuple[Fault, ...]


def check(where: Path | Place, progress: Progress | None = None) -> CheckSummary:
    """Prove every source, every version and every passage of each; raises KnowledgeBaseMissing, StorageError."""
    parts = StoreFolder(where)
    if not parts.place.exists():
        raise KnowledgeBaseMissing
    return _Inspection(parts, progress or (lambda label, done, total: None)).run()


class _Inspection:
    def __init__(self, parts: StoreFolder, report: Progress) -> None:
        self._parts, self._report = parts, report
        self._faults: dict[Fault, None] = {}  # in the order in which they were found, each once
        self._text = cache(self._document)
        self._kept = cache(self._as_added)
        self._decided = b""

    def run(self) -> CheckSummary:
        sources = self._parts.kept.digests()
        for done, digest in enumerate(sources):
            self._report("sources", done, len(sources))
            with self._noting(f"source {digest[:12]}"):
                self._parts.kept.read(digest)
        tags = self._tags()
        passages = 0
        for done, tag in enumerate(tags):
            self._report(tag, done, len(tags))
            with self._noting(f"version {tag}"):
                passages += self._version(tag)
        return CheckSummary(sources=len(sources), versions=len(tags), passages=passages, faults=tuple(self._faults))

    @contextmanager
    def _noting(self, subject: str) -> Iterator[None]:
        try:
            yield
        except StorageError:
            raise
        except (KnowledgeError, OSError) as error:
            self._note(subject, str(error))

    def _note(self, subject: str, problem: str) -> None:
        self._faults[Fault(subject=subject, problem=problem)] = None

    def _tags(self) -> list[str]:
        """The tags of the versions, oldest first."""
        tags: dict[str, int] = {}
        with self._noting("records"):
            self._parts.require_tables()
        with self._noting("tables"):
            tags = self._parts.tags()
        return list(tags)

    def _version(self, tag: str) -> int:
        """Look at one version; returns how many passages it has."""
        table = PassageTable(self._parts.tables, tag)
        packs = {name: table.pack(name) for name in table.manifests()}
        for column, rows in table.unindexed().items():
            if rows:
                self._note(f"version {tag}", f"the full-text index of {column} lacks {rows} of {len(table)} passages")
        for name, passages in packs.items():
            if passages[0].id not in self._found(table, passages[0], len(passages)):
                self._note(f"version {tag}", f"the full-text index doesn't find the first passage of {name}")
            for passage in passages:
                self._passage(passage)
        record = self._parts.versions.read(tag)
        if record and record.packs.keys() != packs.keys():
            self._note(f"version {tag}", "its packs aren't those on its record")
        for name, holding in record.packs.items() if record else ():
            self._compare(name, self._kept(holding), packs.get(name, []))
            self._marks(name, holding)
        if record and record.curation:
            self._decisions(tag, record.curation)
        return len(table)

    def _marks(self, pack: str, holding: Holding) -> None:
        """Whether what is noted of a pack is what the scanner finds; an older product's notes are not looked at."""
        with self._noting(f"marks of {pack}"):
            note = self._parts.kept.note(holding.passages, mark_list.place(holding.manifest))
            if note is not None and note != mark_list.written(scanned(self._kept(holding), self._own_text)):
                words = "its marks aren't those that the scanner finds; run `coreasoner knowledge rebuild`"
                self._note(f"pack {pack}", words)

    def _decisions(self, tag: str, digest: str) -> None:
        """Whether a version has the decisions of the former ones, and more or none after them."""
        with self._noting(f"decisions of version {tag}"):
            written = read_decisions(self._parts, digest).written()
            if not written.startswith(self._decided):
                self._note(f"decisions of version {tag}", "they don't go on from those of the version before")
            self._decided = written

    def _found(self, table: PassageTable, passage: Passage, limit: int) -> set[str]:
        """What the full-text index finds in the passage's pack for its own beginning."""
        return {found for found, _ in table.matching(passage.text[:_PROBE], only(packs=[passage.pack]), limit)}

    def _passage(self, passage: Passage) -> None:
        """Whether the document has this text in this place."""
        text = self._text(passage.document)
        if text is not None and text[passage.start : passage.end] != passage.text:
            self._note(f"passage {passage.id}", f"document {passage.document[:12]} doesn't have its text in its place")
        if text_hash(passage.text) != passage.sha256:
            self._note(f"passage {passage.id}", "its text doesn't have its hash")
        if passage_id(passage.document, passage.start, passage.end) != passage.id:
            self._note(f"passage {passage.id}", "its id isn't that of its place")

    def _compare(self, pack: str, kept: tuple[Passage, ...], found: list[Passage]) -> None:
        """Whether the table has the passages that were added, with every field of them."""
        added, held = ({passage.id: passage for passage in passages} for passages in (kept, found))
        for identifier in sorted(added.keys() ^ held.keys()):
            self._note(f"passage {identifier}", f"{pack} was added with{'' if identifier in added else 'out'} it")
        for identifier in sorted(added.keys() & held.keys()):
            if added[identifier] != held[identifier]:
                self._note(f"passage {identifier}", f"it isn't as it was added with {pack}")

    def _own_text(self, digest: str) -> str:
        return self._text(digest) or ""

    def _document(self, digest: str) -> str | None:
        with self._noting(f"document {digest[:12]}"):
            return self._parts.kept.document_text(digest)
        return None

    def _as_added(self, holding: Holding) -> tuple[Passage, ...]:
        return self._parts.kept.passages(holding)
