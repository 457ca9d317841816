"""A pack's documents to passages: check each file's hash, read it or take what was read before, chunk.

It neither embeds nor stores.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from knowledge.chunk import Chunk, chunk
from knowledge.document import Document
from knowledge.errors import DocumentAltered, DocumentUnsupported, PackInvalid
from knowledge.extractor import Extractor
from knowledge.kinds import check_kind
from knowledge.pack import (
    MANIFEST,
    Complete,
    DocumentEntry,
    Identify,
    Manifest,
    check_name,
    document_path,
    documents_below,
    infer_pack,
    read_pack,
)
from knowledge.passage import Passage, passage_id, text_hash
from knowledge.sources import digest_of

Kept = Callable[[str], Document | None]  # digest -> what was read from that document before, if anything
Progress = Callable[[str, int, int], None]  # label, done, total


class ReadDocument(BaseModel):
    """A document that could be read: its manifest entry with the hash, where it lies, and what is in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    entry: DocumentEntry
    path: Path
    digest: str  # SHA-256 of the file's bytes, hexadecimal
    document: Document
    passages: tuple[Passage, ...]


class ReadPack(BaseModel):
    """A pack as it was read; the manifest lists only the documents that were, each with its hash.

    `skipped` and `notices` are pairs of a file and why it was left out, or what of it was.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    manifest: Manifest
    documents: tuple[ReadDocument, ...]
    skipped: tuple[tuple[str, str], ...]

    @property
    def passages(self) -> tuple[Passage, ...]:
        """All passages, in the order of the manifest."""
        return tuple(p for document in self.documents for p in document.passages)

    def text(self, digest: str) -> str:
        """What is in the document with that digest."""
        return next(d.document.text for d in self.documents if d.digest == digest)

    @property
    def notices(self) -> tuple[tuple[str, str], ...]:
        """What could not be read of documents that were, each with its file."""
        return tuple((d.entry.file, notice) for d in self.documents for notice in d.document.notices)


class _Reading(BaseModel):
    """A file that could be read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    digest: str
    document: Document


def read_documents(
    path: Path,
    *,
    language: str | None = None,
    identify: Identify | None = None,
    complete: Complete = lambda inferred: inferred,
    kept: Kept = lambda digest: None,
    progress: Progress = lambda label, done, total: None,
) -> ReadPack:
    """Read a pack folder, a bare folder or a single file; `kept` knows documents that were read before.

    Where there is no manifest one is inferred, with the hashes of what could be read, and `complete` has its say.

    Documents that can't be read are skipped with the reason; raises PackInvalid where that leaves nothing,
    DocumentUnsupported where the only file can't be read, DocumentAltered where a recorded hash differs, and
    ReaderUnavailable.
    """
    path = path.resolve()
    if not path.exists():
        raise PackInvalid(path.name, "there is no such folder or file")
    manifest = read_pack(path) if (path / MANIFEST).is_file() else None
    listed = {entry.file: entry.sha256 for entry in manifest.documents} if manifest else None
    files = listed or dict.fromkeys(documents_below(path))
    with closing(Extractor()) as extractor:
        readings, skipped = _read_all(path, files, extractor, kept, progress)
    if not readings:
        raise _nothing(path, skipped)
    if manifest is None:
        documents = {file: reading.document for file, reading in readings.items()}
        inferred = infer_pack(path, documents, language=language, identify=identify)
        manifest = complete(_hashed(inferred, readings))
    read = tuple(_read_document(e, readings[e.file], manifest) for e in manifest.documents if e.file in readings)
    if not any(document.passages for document in read):
        raise _nothing(path, skipped)
    manifest = manifest.model_copy(update={"documents": tuple(d.entry for d in read)})
    return ReadPack(manifest=manifest, documents=read, skipped=skipped)


def _hashed(manifest: Manifest, readings: Mapping[str, _Reading]) -> Manifest:
    entries = (entry.model_copy(update={"sha256": readings[entry.file].digest}) for entry in manifest.documents)
    return manifest.model_copy(update={"documents": tuple(entries)})


def _read_all(
    path: Path, files: Mapping[str, str | None], extractor: Extractor, kept: Kept, progress: Progress
) -> tuple[dict[str, _Reading], tuple[tuple[str, str], ...]]:
    """What could be read, by file, and what could not, with the reason; `files` gives recorded hashes."""
    folder = path.parent if path.is_file() else path
    readings: dict[str, _Reading] = {}
    skipped = []
    for number, (file, recorded) in enumerate(files.items()):
        progress(file, number, len(files))
        try:
            reading = _read(folder, file, recorded, extractor, kept)
            if any(reading.digest == other.digest for other in readings.values()):
                raise DocumentUnsupported(file, "another file of the pack is identical")
        except DocumentUnsupported as error:
            if path.is_file():
                raise
            skipped.append((error.file, error.reason))
        else:
            readings[file] = reading
    return readings, tuple(skipped)


def _read(folder: Path, file: str, recorded: str | None, extractor: Extractor, kept: Kept) -> _Reading:
    check_name(file)
    path = document_path(folder, file)
    check_kind(file)
    try:
        digest = digest_of(path)
    except OSError as error:
        raise DocumentUnsupported(
            file, f"it can't be opened ({error.strerror}), so check that it is readable"
        ) from error
    if recorded not in (None, digest):
        raise DocumentAltered(file)
    if document := kept(digest):
        return _Reading(path=path, digest=digest, document=document)
    extracted = extractor.extract(path, file)
    if extracted.sha256 != digest:
        raise DocumentUnsupported(file, "it was changed while it was read, so add it again")
    return _Reading(path=path, digest=digest, document=extracted.document)


def _nothing(path: Path, skipped: Sequence[tuple[str, str]]) -> PackInvalid:
    reasons = "; ".join(f"{file}: {reason}" for file, reason in skipped)
    return PackInvalid(path.name, f"none of its documents has text ({reasons or 'it holds none'})")


def _read_document(entry: DocumentEntry, reading: _Reading, manifest: Manifest) -> ReadDocument:
    entry = entry.model_copy(update={"sha256": reading.digest})
    passages = tuple(
        _passage(piece, entry, reading.digest, manifest)
        for piece in chunk(reading.document)
        if _is_guidance(piece, entry, manifest)
    )
    return ReadDocument(
        entry=entry, path=reading.path, digest=reading.digest, document=reading.document, passages=passages
    )


def _is_guidance(piece: Chunk, entry: DocumentEntry, manifest: Manifest) -> bool:
    """Whether the chunk says what to do: the list of sources and a demonstration pack's opening notice don't."""
    lines = piece.text.split("\n")
    sources = all(line.lstrip("-*+ ").strip() in entry.sources for line in lines if line.strip())
    notice = manifest.demonstration and len(piece.section) <= 1 and all(line.startswith(">") for line in lines)
    return not sources and not notice


def _passage(piece: Chunk, entry: DocumentEntry, document: str, manifest: Manifest) -> Passage:
    own_title = piece.section[:1] == (entry.title,)
    return Passage(
        id=passage_id(document, piece.start, piece.end),
        document=document,
        document_title=entry.title,
        pack=manifest.name,
        publisher=manifest.publisher,
        jurisdiction=manifest.jurisdiction,
        language=entry.language or manifest.language,
        edition=manifest.edition,
        effective=manifest.effective,
        expires=manifest.expires,
        section=piece.section[1:] if own_title else piece.section,
        page=piece.page,
        start=piece.start,
        end=piece.end,
        text=piece.text,
        sha256=text_hash(piece.text),
        demonstration=manifest.demonstration,
    )
