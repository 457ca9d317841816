"""The knowledge base on disk: packs go in, versions come out, passages and their documents can be opened again.

`lance/` is derived and can be rebuilt; `sources/` holds the documents and manifests as they were added, by hash;
`store.json` names the embedder. How passages are ranked is `search`'s business.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from knowledge.document import Document
from knowledge.errors import EmbedderMismatch, KnowledgeBaseMissing, NotInKnowledgeBase, StoreUnwritable
from knowledge.ingest import Progress, ReadPack, read_documents
from knowledge.pack import Identify, Manifest
from knowledge.parse import read_text
from knowledge.passage import Passage
from knowledge.sources import Sources
from knowledge.table import PassageTable, Vectors, all_tags, newest_tag, replace_pack

_BATCH = 32
_DESCRIPTION = "store.json"
_LOCK_SECONDS = 60.0


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

    `notices` say what of a file was not read, `neutralised` lists what was removed from it, and `version` is what is
    read from now.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pack: str
    documents: int
    passages: int
    skipped: tuple[tuple[str, str], ...]
    notices: tuple[tuple[str, str], ...]
    neutralised: tuple[tuple[str, tuple[str, ...]], ...]
    unchanged: bool
    version: str


class PackSummary(BaseModel):
    """A pack in the store: its manifest, listing the documents that went in, and how much of it there is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    manifest: Manifest
    documents: int
    passages: int


class _Description(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    embedder: str
    dimension: int

    def __str__(self) -> str:
        return f"{self.embedder} ({self.dimension} dimensions)"


class KnowledgeStore:
    """The guidelines in a folder as of one version: the newest when opened, or the one that is named.

    A store that is opened at a named version is for replay and can't be added to. Raises EmbedderMismatch, and
    NotInKnowledgeBase for an unknown version. Safe to read from several threads.
    """

    def __init__(self, folder: Path, embedder: Embedder, version: str | None = None) -> None:
        self.embedder = embedder
        self.folder = folder
        self._lance = folder / "lance"
        self._sources = Sources(folder / "sources")
        self._pinned = version is not None
        self._check_embedder()
        if version is not None and version not in all_tags(self._lance):
            raise NotInKnowledgeBase("version", version)
        tag = version or newest_tag(self._lance)
        self._table = PassageTable(self._lance, tag) if tag else None

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been added."""
        return self._table is None

    @property
    def table(self) -> PassageTable:
        """The version that is being read; raises KnowledgeBaseMissing where there is none."""
        if self._table is None:
            raise KnowledgeBaseMissing
        return self._table

    def version(self) -> str | None:
        """The name of the version that is being read, for the record; None while the store is empty."""
        return self._table.tag if self._table else None

    def versions(self) -> tuple[str, ...]:
        """All versions that can be opened, oldest first."""
        tags = all_tags(self._lance)
        return tuple(sorted(tags, key=tags.__getitem__))

    def refresh(self) -> bool:
        """Read the newest version from now on, unless a version was named; returns whether that is another one."""
        tag = self.version() if self._pinned else newest_tag(self._lance)
        if tag is None or tag == self.version():
            return False
        self._table = PassageTable(self._lance, tag)
        return True

    def add(
        self,
        path: Path,
        *,
        language: str | None = None,
        identify: Identify | None = None,
        progress: Progress | None = None,
    ) -> AddSummary:
        """Add a pack folder, a bare folder or one file; a pack of the same name is replaced as a whole.

        The former edition stays readable under its version. Adding what is there already changes nothing. Without a
        manifest the language is `language`, or what `identify` says. Raises PackInvalid, DocumentUnsupported,
        DocumentAltered, EmbedderMismatch or StoreUnwritable; then nothing was changed.
        """
        if self._pinned:
            raise StoreUnwritable(str(self.folder), f"it is open at version {self.version()}, which stays as it was")
        report = progress or (lambda label, done, total: None)
        pack = read_documents(path, language=language, identify=identify, kept=self._kept, progress=report)
        manifest = pack.manifest.model_dump_json().encode()
        if self._holds(pack):
            return self._summary(pack, unchanged=True)
        vectors = self._embed(pack, report)
        with self._writing():
            digest = self._sources.keep(manifest)
            for document in pack.documents:
                self._sources.keep_document(document.path, document.digest, document.document)
            label = f"{pack.manifest.name}-{pack.manifest.edition}"
            replace_pack(self._lance, label, digest, pack.passages, vectors)
        self.refresh()
        return self._summary(pack, unchanged=False)

    def list_packs(self) -> tuple[PackSummary, ...]:
        """The packs in this version, by name."""
        held = self._table.manifests().values() if self._table else ()
        return tuple(
            PackSummary(manifest=self._manifest(digest), documents=documents, passages=passages)
            for digest, documents, passages in held
        )

    def passage(self, passage_id: str) -> Passage:
        """The passage with that id; raises NotInKnowledgeBase."""
        found = self.table.passages([passage_id])
        if not found:
            raise NotInKnowledgeBase("passage", passage_id)
        return found[0][0]

    def document_text(self, digest: str) -> str:
        """The text over which the spans of a document's passages count; checked against the document's hash."""
        document = self._sources.document(digest)
        # Stores from before readings were kept hold nothing but UTF-8 text.
        return document.text if document else read_text(self._sources.read(digest), digest).text

    def _kept(self, digest: str) -> Document | None:
        return self._sources.document(digest) if self._sources.holds(digest) else None

    def _manifest(self, digest: str) -> Manifest:
        return Manifest.model_validate_json(self._sources.read(digest))

    def _holds(self, pack: ReadPack) -> bool:
        self.refresh()
        held = self._table.manifests().get(pack.manifest.name) if self._table else None
        return held is not None and self._manifest(held[0]) == pack.manifest

    def _embed(self, pack: ReadPack, report: Progress) -> Vectors:
        texts = [passage.in_context for passage in pack.passages]
        batches = []
        for start in range(0, len(texts), _BATCH):
            report(pack.manifest.title, start, len(texts))
            batches.append(self.embedder.embed_passages(texts[start : start + _BATCH]))
        report(pack.manifest.title, len(texts), len(texts))
        return np.concatenate(batches)

    def _summary(self, pack: ReadPack, *, unchanged: bool) -> AddSummary:
        return AddSummary(
            pack=pack.manifest.name,
            documents=len(pack.documents),
            passages=len(pack.passages),
            skipped=pack.skipped,
            notices=pack.notices,
            neutralised=tuple((d.entry.file, d.document.removed) for d in pack.documents if d.document.removed),
            unchanged=unchanged,
            version=self.table.tag,
        )

    def _check_embedder(self) -> None:
        given = self._description()
        if newest_tag(self._lance) is None:
            return
        try:
            stored = _Description.model_validate_json((self.folder / _DESCRIPTION).read_bytes())
        except (OSError, ValidationError) as error:
            raise EmbedderMismatch(f"(unknown: {_DESCRIPTION} can't be read)", str(given)) from error
        if stored != given:
            raise EmbedderMismatch(str(stored), str(given))

    def _description(self) -> _Description:
        return _Description(embedder=self.embedder.name, dimension=self.embedder.dimension)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Hold the store alone and name its embedder; whatever the disk or LanceDB refuses becomes StoreUnwritable."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / "writing.lock", timeout=_LOCK_SECONDS):
                self._check_embedder()
                unfinished = self.folder / f"{_DESCRIPTION}.new"
                unfinished.write_text(self._description().model_dump_json(), "utf-8")
                unfinished.replace(self.folder / _DESCRIPTION)
                yield
        except Timeout as error:
            raise StoreUnwritable(str(self.folder), "another pack is being added, so try again later") from error
        except (OSError, RuntimeError) as error:
            # LanceDB ends its messages with a place in its own source.
            raise StoreUnwritable(str(self.folder), str(error).splitlines()[0].partition(", /")[0]) from error
