"""The knowledge base: packs go in and out, each change makes a version, passages and documents can be opened again.

How passages are ranked is `search`'s business; how the folder is laid out is `folder`'s.
"""

from collections.abc import Sequence
from copy import copy
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from knowledge.curation import Curation, Decision, Decisions
from knowledge.curations import Curations, note_marks, read_decisions
from knowledge.errors import EmbedderMismatch, KnowledgeBaseMissing, NotInKnowledgeBase, StoreUnwritable
from knowledge.folder import Description, StoreFolder
from knowledge.ingest import Progress, ReadPack, read_documents
from knowledge.local import LocalFolder
from knowledge.mark_list import Mark, scanned
from knowledge.pack import MANIFEST, Complete, Identify, Manifest
from knowledge.passage import Passage
from knowledge.place import Place
from knowledge.table import PassageTable, Vectors, passage_rows, write_version
from knowledge.versions import Holding, Version, as_of, new_tag

_BATCH = 32


class Embedder(Protocol):
    """Turns text into vectors of `dimension`; `name` changes whenever the vectors would."""

    @property
    def name(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    def embed_queries(self, texts: list[str], /) -> Vectors:
        """Return float32 [n, d]."""

    def embed_passages(self, texts: list[str], /) -> Vectors:
        """Return float32 [n, d]."""


class AddSummary(BaseModel):
    """What adding a pack did.

    `pages` counts those of documents that have pages, `notices` say what of a file was not read, `neutralised` lists
    what was removed from it, `withheld` the ids of passages that a curator has to approve before a model reads them,
    and `version` is what is read from now.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pack: str
    documents: int
    pages: int
    passages: int
    skipped: tuple[tuple[str, str], ...]
    notices: tuple[tuple[str, str], ...]
    neutralised: tuple[tuple[str, tuple[str, ...]], ...]
    withheld: tuple[str, ...]
    unchanged: bool
    version: str


class PackSummary(BaseModel):
    """A pack in the store: its manifest, listing the documents that went in, and how much of it there is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    manifest: Manifest
    documents: int
    passages: int


class KnowledgeStore:
    """The guidelines in a place [a path: a folder] as of one version: the newest when opened, or the one that is named.

    A store that is opened at a named version is for replay and can't be changed. Without an embedder everything
    works but adding, and searching by meaning. Raises EmbedderMismatch, KnowledgeBaseDamaged, and NotInKnowledgeBase
    for an unknown version. Safe to read from several threads.
    """

    def __init__(self, where: Path | Place, embedder: Embedder | None, version: str | None = None) -> None:
        self._embedder = embedder
        self._parts = StoreFolder(where)
        self._curations = Curations(self._parts)
        self._pinned = version is not None
        self._check_embedder()
        if version is not None and version not in self._parts.tags():
            raise NotInKnowledgeBase("version", version, "`coreasoner knowledge versions` lists them")
        self._parts.require_tables()
        self._tables, newest = self._parts.newest()
        tag = version or newest
        self._table = PassageTable(self._tables, tag) if tag else None

    @property
    def place(self) -> Place:
        """Where it lies."""
        return self._parts.place

    @property
    def folder(self) -> Path:
        """The folder of a store that lies on a disk."""
        assert isinstance(self.place, LocalFolder), f"{self.place} is no folder"
        return self.place.path

    @property
    def has_embedder(self) -> bool:
        """Whether it was opened with an embedder; without one words alone are searched, and nothing can be added."""
        return self._embedder is not None

    @property
    def embedder(self) -> Embedder:
        """What turns questions into vectors that can be compared with those in the tables."""
        assert self._embedder, "this store was opened without an embedder, so nothing can be added to it"
        return self._embedder

    @property
    def is_empty(self) -> bool:
        """Whether it holds no passages."""
        return self._table is None or not len(self._table)

    @property
    def table(self) -> PassageTable:
        """The version that is being read; raises KnowledgeBaseMissing where there is none."""
        if self._table is None:
            raise KnowledgeBaseMissing
        return self._table

    @property
    def curation(self) -> Curation:
        """Which passages of the version that is being read are held back; a version that was never scanned is now."""
        return self.curation_of(self.table)

    def curation_of(self, table: PassageTable) -> Curation:
        """The same of a version that was being read when somebody began to search."""
        return self._curations.of(table)

    def version(self) -> str | None:
        """The name of the version that is being read, for the record; None while the store is empty."""
        return self._table.tag if self._table is not None else None

    def versions(self) -> tuple[str, ...]:
        """All versions that can be opened, oldest first."""
        return tuple(version.tag for version in self.history() if not version.cleaned)

    def history(self) -> tuple[Version, ...]:
        """All versions, oldest first, with those that were cleaned away; raises KnowledgeBaseDamaged."""
        return self._parts.history()

    def refresh(self) -> bool:
        """Read the newest version from now on, unless a version was named; returns whether that is another one.

        Raises EmbedderMismatch where the tables were rebuilt for another embedder, and KnowledgeBaseDamaged.
        """
        if self._pinned:
            return False
        tables, tag = self._parts.newest()
        if tag is None or (tag, tables) == (self.version(), self._tables):
            return False
        self._check_embedder()
        former, self._table, self._tables = self.version(), PassageTable(tables, tag), tables
        return tag != former

    def snapshot(self) -> Self:
        """The newest version, to be read from start to end of one task whatever is added meanwhile."""
        self.refresh()
        if self._table is not None:
            self._parts.mark_read(self._table.tag)
        same = copy(self)
        same._pinned = True
        return same

    def at(self, when: str) -> "KnowledgeStore":
        """The same guidelines at a version's tag, or at the end of a day (YYYY-MM-DD, this machine's time).

        Raises NotInKnowledgeBase, VersionCleaned, KnowledgeBaseMissing.
        """
        return KnowledgeStore(self.place, self._embedder, as_of(self.history(), when).tag)

    def add(
        self,
        path: Path,
        *,
        language: str | None = None,
        identify: Identify | None = None,
        complete: Complete = lambda inferred: inferred,
        progress: Progress | None = None,
    ) -> AddSummary:
        """Add a pack folder, a bare folder or one file; a pack of the same name is replaced as a whole.

        The former edition stays readable under its version. Adding what is there already changes nothing. Without a
        manifest the language is `language`, or what `identify` says, and `complete` may state more. Raises
        PackInvalid, DocumentUnsupported, DocumentAltered, EmbedderMismatch or StoreUnwritable; then nothing was
        changed.
        """
        self._require_newest()
        report = progress or (lambda label, done, total: None)
        kept = self._parts.kept
        pack = read_documents(
            path, language=language, identify=identify, complete=complete, kept=kept.reading, progress=report
        )
        if self._holds(pack):
            return self._summary(pack, unchanged=True)
        vectors, marks = self._embed(pack, report), scanned(pack.passages, pack.text)
        with self._parts.writing():
            self._check_embedder()
            self._parts.describe(self.embedder.name, self.embedder.dimension)
            holding = self._keep(pack, _original(path, pack), marks)
            rows = passage_rows(holding.manifest, pack.passages, vectors)
            name, edition = pack.manifest.name, pack.manifest.edition
            self._commit(f"{name}-{edition}", f"added {name} {edition}".strip(), {name: holding}, rows)
        return self._summary(pack, unchanged=False)

    def remove(self, name: str) -> str:
        """Take a pack out, as a new version; former versions stay as they are. Returns the new version's tag.

        Raises NotInKnowledgeBase, StoreUnwritable.
        """
        self._require_newest()
        with self._parts.writing():
            self.refresh()
            self.pack(name)
            self._commit(f"without-{name}", f"removed {name}", {name: None}, self.table.rows(()))
        return self.table.tag

    def decide(self, decisions: Sequence[Decision], change: str) -> str:
        """Add a curator's decisions to the former ones, as a new version. Returns its tag; raises StoreUnwritable."""
        self._require_newest()
        with self._parts.writing():
            self._commit("curation", change, {}, self.table.rows(()), decisions)
        return self.table.tag

    def list_packs(self) -> tuple[PackSummary, ...]:
        """The packs in this version, by name."""
        held = self._table.manifests().values() if self._table is not None else ()
        return tuple(
            PackSummary(manifest=self._parts.kept.manifest(digest), documents=documents, passages=passages)
            for digest, documents, passages in held
        )

    def pack(self, name: str) -> PackSummary:
        """The pack with that name; raises KnowledgeBaseMissing, or NotInKnowledgeBase with the nearest name."""
        _ = self.table
        packs = {pack.manifest.name: pack for pack in self.list_packs()}
        if name not in packs:
            near = get_close_matches(name, packs, 1)
            instead = f"did you mean {near[0]}" if near else f"it holds {', '.join(packs) or 'no packs'}"
            raise NotInKnowledgeBase("pack", name, instead)
        return packs[name]

    def passages(self, pack: str) -> list[Passage]:
        """The passages of a pack, by document and place; raises NotInKnowledgeBase."""
        self.pack(pack)
        return self.table.pack(pack)

    def passage(self, passage_id: str) -> Passage:
        """The passage with that id; raises NotInKnowledgeBase."""
        found = self.table.passages([passage_id])
        if not found:
            raise NotInKnowledgeBase("passage", passage_id)
        return found[0][0]

    def document_text(self, digest: str) -> str:
        """The text over which the spans of a document's passages count; checked against the document's hash."""
        return self._parts.kept.document_text(digest)

    def _holds(self, pack: ReadPack) -> bool:
        self.refresh()
        held = self._table.manifests().get(pack.manifest.name) if self._table is not None else None
        return held is not None and self._parts.kept.manifest(held[0]) == pack.manifest

    def _embed(self, pack: ReadPack, report: Progress) -> Vectors:
        texts = [passage.in_context for passage in pack.passages]
        return embed(self.embedder, texts, pack.manifest.title, report)

    def _keep(self, pack: ReadPack, original: bytes | None, marks: tuple[Mark, ...]) -> Holding:
        kept = self._parts.kept
        for document in pack.documents:
            kept.keep_document(document.path, document.digest, document.document)
        holding = Holding(
            manifest=kept.keep(pack.manifest.model_dump_json().encode()),
            passages=kept.keep_passages(pack.passages),
            original=None if original is None else kept.keep(original),
        )
        note_marks(kept, holding, marks)
        return holding

    def _commit(
        self,
        label: str,
        change: str,
        changed: dict[str, Holding | None],
        rows: pa.Table,
        decided: Sequence[Decision] = (),
    ) -> None:
        """Make a version of the packs as they are with some changed [None: removed] and more decided, and read it."""
        serial = self._parts.settle()
        self.refresh()
        before = self._parts.versions.read(self.table.tag) if self._table is not None else None
        packs: dict[str, Holding | None] = {**(before.packs if before else {}), **changed}
        held = {name: holding for name, holding in sorted(packs.items()) if holding}
        curation = before.curation if before else None
        if decided:
            former = read_decisions(self._parts, curation)
            curation = self._parts.kept.keep(Decisions((*former.all, *decided)).written())
        version = Version(
            tag=new_tag(label, serial),
            serial=serial,
            time=datetime.now(UTC),
            change=change,
            packs=held,
            curation=curation,
        )
        self._parts.versions.announce(version)
        write_version(*self._parts.newest(), version.tag, changed, rows)
        self._parts.count(version.tag)
        self._parts.settle()
        self.refresh()

    def _summary(self, pack: ReadPack, *, unchanged: bool) -> AddSummary:
        return AddSummary(
            pack=pack.manifest.name,
            documents=len(pack.documents),
            pages=sum(len(document.document.pages) for document in pack.documents),
            passages=len(pack.passages),
            skipped=pack.skipped,
            notices=pack.notices,
            neutralised=tuple((d.entry.file, d.document.removed) for d in pack.documents if d.document.removed),
            withheld=self.curation.withheld_of(pack.manifest.name),
            unchanged=unchanged,
            version=self.table.tag,
        )

    def _require_newest(self) -> None:
        if self._pinned:
            raise StoreUnwritable(str(self.place), f"it is open at version {self.version()}, which stays as it was")

    def _check_embedder(self) -> None:
        if self._embedder is None or self._parts.newest()[1] is None:
            return
        stored = self._parts.description()
        given = Description(embedder=self.embedder.name, dimension=self.embedder.dimension)
        if stored is None:
            raise EmbedderMismatch("(unknown: store.json can't be read)", str(given))
        if (stored.embedder, stored.dimension) != (given.embedder, given.dimension):
            raise EmbedderMismatch(str(stored), str(given))


def embed(embedder: Embedder, texts: Sequence[str], label: str, progress: Progress | None) -> Vectors:
    """The vectors [n, d] of texts, in batches, telling how far it is."""
    report = progress or (lambda label, done, total: None)
    batches = [np.empty((0, embedder.dimension), np.float32)]
    for start in range(0, len(texts), _BATCH):
        report(label, start, len(texts))
        batches.append(embedder.embed_passages(list(texts[start : start + _BATCH])))
    report(label, len(texts), len(texts))
    return np.concatenate(batches)


def _original(path: Path, pack: ReadPack) -> bytes | None:
    """The bytes of the pack's own manifest, unless it lists documents that were left out."""
    file = path / MANIFEST
    return file.read_bytes() if file.is_file() and not pack.skipped else None
