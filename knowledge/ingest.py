"""A pack's documents to passages: check each file's hash, neutralise, parse, chunk.

It neither embeds nor stores.
"""

from hashlib import sha256
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from knowledge.chunk import Chunk, chunk
from knowledge.errors import DocumentAltered, DocumentUnsupported, PackInvalid
from knowledge.pack import MANIFEST, DocumentEntry, Identify, Manifest, document_path, infer_pack, read_pack
from knowledge.parse import check_kind, parse, read_text
from knowledge.passage import Passage, passage_id, text_hash


class ReadDocument(BaseModel):
    """A document that could be read: its manifest entry with the hash filled in, its bytes and its passages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    entry: DocumentEntry
    raw: bytes
    passages: tuple[Passage, ...]
    removed: tuple[str, ...]


class ReadPack(BaseModel):
    """A pack as it was read; the manifest lists only the documents that were, each with its hash."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    manifest: Manifest
    documents: tuple[ReadDocument, ...]
    skipped: tuple[tuple[str, str], ...]

    @property
    def passages(self) -> tuple[Passage, ...]:
        """All passages, in the order of the manifest."""
        return tuple(p for document in self.documents for p in document.passages)


def read_documents(path: Path, *, language: str | None = None, identify: Identify | None = None) -> ReadPack:
    """Read a pack folder, a bare folder or a single file.

    Documents that can't be read are skipped with the reason; raises PackInvalid where that leaves nothing,
    DocumentUnsupported where the only file can't be read, and DocumentAltered where a recorded hash differs.
    """
    path = path.resolve()
    if not path.exists():
        raise PackInvalid(path.name, "there is no such folder or file")
    sealed = (path / MANIFEST).is_file()
    manifest = read_pack(path) if sealed else infer_pack(path, language=language, identify=identify)
    folder = path.parent if path.is_file() else path
    documents: dict[str, ReadDocument] = {}
    skipped = []
    for entry in manifest.documents:
        try:
            document = _read(folder, entry, manifest)
            if document.entry.sha256 in documents:
                raise DocumentUnsupported(entry.file, "another file of the pack is identical")
        except DocumentUnsupported as error:
            if path.is_file():
                raise
            skipped.append((error.file, error.reason))
        else:
            documents[str(document.entry.sha256)] = document
    read = tuple(documents.values())
    if not any(document.passages for document in read):
        raise PackInvalid(path.name, f"none of its documents has text ({'; '.join(r for _, r in skipped) or 'empty'})")
    manifest = manifest.model_copy(update={"documents": tuple(d.entry for d in read)})
    return ReadPack(manifest=manifest, documents=read, skipped=tuple(skipped))


def _read(folder: Path, entry: DocumentEntry, manifest: Manifest) -> ReadDocument:
    path = document_path(folder, entry)
    check_kind(entry.file)
    raw = path.read_bytes()
    digest = sha256(raw).hexdigest()
    if entry.sha256 not in (None, digest):
        raise DocumentAltered(entry.file)
    stored = read_text(raw, entry.file)
    entry = entry.model_copy(update={"sha256": digest})
    passages = tuple(
        _passage(piece, entry, digest, manifest)
        for piece in chunk(parse(stored.text, entry.file))
        if _is_guidance(piece, entry, manifest)
    )
    return ReadDocument(entry=entry, raw=raw, passages=passages, removed=stored.removed)


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
        page=None,
        start=piece.start,
        end=piece.end,
        text=piece.text,
        sha256=text_hash(piece.text),
        demonstration=manifest.demonstration,
    )
